#include "rules/rule_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "net/address_text.hpp"
#include "rules/ambiguity.hpp"
#include "rules/regex.hpp"
#include "rules/rule_values.hpp"
#include "rules/tags.hpp"

namespace palang {
namespace {

constexpr Duration longest_window = one_day * 90;
constexpr Duration longest_ban = one_day * 3650;
constexpr size_t longest_text = 400;
constexpr size_t longest_line = size_t{64} * 1024;

size_t count_of(std::string_view text, std::string_view wanted) {
  size_t count = 0;
  for (size_t at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) ++count;
  return count;
}

// "" if the pattern will do.
std::string why_no_pattern(const std::string& pattern) {
  if (!pattern.starts_with('^')) return "must begin with ^: what an attacker writes must not move it";
  const size_t addresses = count_of(pattern, "<ADDR>");
  if (addresses != 1) return fmt::format("must have <ADDR> exactly once, and has it {} times", addresses);
  const auto expanded = expand_tags(pattern);
  if (!expanded) return expanded.error().text;
  if (const auto sound = Regex::check(*expanded); !sound) return sound.error().text;
  return why_ambiguous(pattern);
}

std::string why_no_condition(const std::string& pattern) {
  const auto expanded = expand_tags(pattern);
  if (!expanded) return expanded.error().text;
  if (const auto sound = Regex::check(*expanded); !sound) return sound.error().text;
  return "";
}

void read_patterns(const ValueReader& value, std::vector<std::string>& to, std::string (*why_not)(const std::string&)) {
  to.clear();
  for (const ValueReader::Item& item : value.texts()) {
    const std::string complaint = why_not(item.text);
    if (!complaint.empty()) value.complain_at(item.line, fmt::format("'{:.100}' {}", item.text, complaint));
    to.push_back(item.text);
  }
}

struct WhereKey {
  std::string_view name;
  void (*read)(const ValueReader&, WhereSettings&);
};

template <std::vector<std::string> WhereSettings::* list>
void read_conditions(const ValueReader& value, WhereSettings& where) {
  read_patterns(value, where.*list, why_no_condition);
}

constexpr std::array<WhereKey, 12> where_keys{{
    {"status", [](const ValueReader& value, WhereSettings& where) { value.statuses(where.status); }},
    {"method", [](const ValueReader& value, WhereSettings& where) { value.texts(where.method); }},
    {"path", read_conditions<&WhereSettings::path>},
    {"query", read_conditions<&WhereSettings::query>},
    {"agent", read_conditions<&WhereSettings::agent>},
    {"referer", read_conditions<&WhereSettings::referer>},
    {"host", read_conditions<&WhereSettings::host>},
    {"user", read_conditions<&WhereSettings::user>},
    {"line", read_conditions<&WhereSettings::line>},
    {"severity", [](const ValueReader& value, WhereSettings& where) { value.severities(where.severity); }},
    {"rule_id", [](const ValueReader& value, WhereSettings& where) { value.id_ranges(where.rule_id); }},
    {"blocked", [](const ValueReader& value, WhereSettings& where) { value.flag(where.blocked.emplace()); }},
}};

// The names of a table of keys.
template <typename Keys>
std::vector<std::string_view> names_of(const Keys& keys) {
  std::vector<std::string_view> names;
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

void read_where(const ValueReader& value, RuleDefinition& rule) {
  const TomlTable* table = value.table("a table, as in { status = [404] }");
  if (table == nullptr) return;
  for (const TomlEntry& entry : *table) {
    const auto key = std::ranges::find(where_keys, entry.key, &WhereKey::name);
    if (key == where_keys.end())
      value.no_such_key(entry, names_of(where_keys));
    else
      key->read(value.inside(entry), rule.where);
  }
}

void read_bucket(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 2> keys{"capacity", "leak"};
  const TomlTable* table = value.table(R"(a table, as in { capacity = 100, leak = "100ms" })");
  if (table == nullptr) return;
  BucketSettings& bucket = rule.settings.bucket.emplace();
  for (const TomlEntry& entry : *table) {
    if (entry.key == "capacity")
      value.inside(entry).number(bucket.capacity, 1, 1'000'000);
    else if (entry.key == "leak")
      value.inside(entry).duration(bucket.leak, Duration{1ms}, one_day);
    else
      value.no_such_key(entry, keys);
  }
}

void read_distributed(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 2> keys{"sources", "within"};
  const TomlTable* table = value.table(R"(a table, as in { sources = 10, within = "1h" })");
  if (table == nullptr) return;
  DistributedSettings& distributed = rule.settings.distributed.emplace();
  for (const TomlEntry& entry : *table) {
    if (entry.key == "sources")
      value.inside(entry).number(distributed.sources, 2, most_distributed_sources);
    else if (entry.key == "within")
      value.inside(entry).duration(distributed.within, Duration{1s}, longest_window);
    else
      value.no_such_key(entry, keys);
  }
}

void read_ban(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 3> keys{"for", "at_most", "scope"};
  static constexpr std::array<std::string_view, 2> scopes{"full", "quiet"};
  const TomlTable* table = value.table(R"(a table, as in { for = "1d", scope = "full" })");
  if (table == nullptr) return;
  RuleBan& ban = rule.settings.ban;
  for (const TomlEntry& entry : *table) {
    const ValueReader inside = value.inside(entry);
    if (entry.key == "for") {
      inside.duration(ban.first.emplace(), Duration{1s}, longest_ban);
    } else if (entry.key == "at_most") {
      inside.duration(ban.at_most.emplace(), Duration{1s}, longest_ban);
    } else if (entry.key == "scope") {
      if (const auto scope = inside.choice(scopes)) ban.scope = *scope == 0 ? Scope::full : Scope::quiet;
    } else {
      value.no_such_key(entry, keys);
    }
  }
}

void read_attacker(const TomlEntry& entry, const ValueReader& value, RuleExample& example) {
  example.says_attacker = true;
  value.texts(entry.key == "attacker" ? example.attacker : example.attacker_words);
}

void read_example(const TomlValue& element, const ValueReader& list, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 8> keys{"line", "file", "match",    "addr",
                                                        "user", "path", "attacker", "attacker_words"};
  const auto* table = std::get_if<TomlTable>(&element.content);
  if (table == nullptr) return list.complain_at(element.line, "must be tables: [[rule.example]]");
  RuleExample example;
  example.at_line = element.line;
  for (const TomlEntry& entry : *table) {
    const ValueReader value = list.inside(entry);
    if (entry.key == "line")
      value.text(example.line, longest_line);
    else if (entry.key == "file")
      value.text(example.file, longest_text);
    else if (entry.key == "match")
      value.flag(example.match);
    else if (entry.key == "addr")
      value.text(example.addr, longest_text);
    else if (entry.key == "user")
      example.user = std::get_if<std::string>(&entry.value.content) != nullptr
                         ? std::get<std::string>(entry.value.content)
                         : (value.wrong_type("a text"), "");
    else if (entry.key == "path")
      value.text(example.path.emplace(), longest_line);
    else if (entry.key == "attacker" || entry.key == "attacker_words")
      read_attacker(entry, value, example);
    else
      list.no_such_key(entry, keys);
  }
  if (example.line.empty()) return list.complain_at(element.line, "an example needs its line");
  if (!example.match && !example.addr.empty())
    return list.complain_at(element.line, "has addr, so it must match, and has match = false");
  if (example.match && !read_address(example.addr))
    return list.complain_at(element.line, "needs addr, the address that it must find, or match = false");
  rule.examples.push_back(std::move(example));
}

void read_examples(const ValueReader& value, RuleDefinition& rule) {
  const auto* list = std::get_if<TomlValue::List>(&value.value().content);
  if (list == nullptr) return value.wrong_type("a list of tables: [[rule.example]]");
  for (const TomlValue& element : *list) read_example(element, value, rule);
}

void read_format(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, line_formats> formats{"syslog", "plain", "access", "error",
                                                                      "modsec-json"};
  if (const auto chosen = value.choice(formats)) rule.format = static_cast<LineFormat>(*chosen);
}

void read_proof(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 3> proofs{"forgeable", "handshake", "application"};
  if (const auto chosen = value.choice(proofs)) rule.settings.proof = static_cast<Proof>(*chosen);
}

void read_count(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 5> counts{"attempts", "users", "ports", "paths", "bans"};
  if (const auto chosen = value.choice(counts)) rule.settings.count = static_cast<RuleSettings::Count>(*chosen);
}

void read_by(const ValueReader& value, RuleDefinition& rule) {
  static constexpr std::array<std::string_view, 2> subjects{"address", "prefix"};
  if (const auto chosen = value.choice(subjects)) rule.settings.by = static_cast<RuleSettings::By>(*chosen);
}

struct RuleKey {
  std::string_view name;
  bool overridable;
  void (*read)(const ValueReader&, RuleDefinition&);
};

using Value = const ValueReader&;
using To = RuleDefinition&;

constexpr std::array<RuleKey, 21> rule_keys{{
    {"name", true, [](Value, To) {}},  // read before all others
    {"about", false, [](Value value, To rule) { value.text(rule.about, longest_text); }},
    {"what", true, [](Value value, To rule) { value.text(rule.settings.what, longest_text); }},
    {"programs", false, [](Value value, To rule) { value.texts(rule.programs); }},
    {"units", true, [](Value value, To rule) { value.texts(rule.units); }},
    {"transports", false, [](Value value, To rule) { value.texts(rule.transports); }},
    {"uids", false, [](Value value, To rule) { value.uids(rule.uids); }},
    {"files", true, [](Value value, To rule) { value.texts(rule.files); }},
    {"format", false, read_format},
    {"patterns", false, [](Value value, To rule) { read_patterns(value, rule.patterns, why_no_pattern); }},
    {"ignore", false, [](Value value, To rule) { read_patterns(value, rule.ignore, why_no_condition); }},
    {"where", false, read_where},
    {"proof", true, read_proof},
    {"count", false, read_count},
    {"by", true, read_by},
    {"after", true, [](Value value, To rule) { value.number(rule.settings.after, 1, most_rule_after); }},
    {"within", true, [](Value value, To rule) { value.duration(rule.settings.within, Duration{1s}, longest_window); }},
    {"bucket", true, read_bucket},
    {"distributed", true, read_distributed},
    {"ban", true, read_ban},
    {"enabled", true, [](Value value, To rule) { value.flag(rule.enabled); }},
}};

bool has_key(const TomlTable& table, std::string_view key) {
  return std::ranges::find(table, key, &TomlEntry::key) != table.end();
}

void read_keys(const TomlTable& table, uint32_t at_line, bool is_override, RuleDefinition& rule,
               Complaints& complaints) {
  const TomlValue whole{at_line, TomlOther{"a rule"}};
  const ValueReader parent(whole, rule.settings.name, complaints);
  std::vector<std::string_view> names = names_of(rule_keys);
  names.emplace_back("example");
  for (const TomlEntry& entry : table) {
    const auto key = std::ranges::find(rule_keys, entry.key, &RuleKey::name);
    if (key == rule_keys.end() && entry.key == "example" && !is_override) {
      read_examples(parent.inside(entry), rule);
    } else if (key == rule_keys.end()) {
      parent.no_such_key(entry, names);
    } else if (is_override && !key->overridable) {
      parent.inside(entry).complain("can't be overridden; write the rule anew, whole, under the same name");
    } else {
      key->read(parent.inside(entry), rule);
    }
  }
  if (has_key(table, "bucket") && (has_key(table, "after") || has_key(table, "within")))
    parent.complain(R"(has a bucket, so after and within say nothing)");
}

bool is_name(std::string_view name) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 40 && std::ranges::all_of(name, good);
}

bool any_pattern_has(const RuleDefinition& rule, std::string_view tag) {
  return std::ranges::any_of(rule.patterns,
                             [&](const std::string& pattern) { return pattern.find(tag) != std::string::npos; });
}

bool has_where(const WhereSettings& where) {
  const std::array<const std::vector<std::string>*, 8> texts{&where.method,  &where.path, &where.query, &where.agent,
                                                             &where.referer, &where.host, &where.user,  &where.line};
  return std::ranges::any_of(texts, [](const auto* list) { return !list->empty(); }) || !where.status.empty() ||
         !where.severity.empty() || !where.rule_id.empty() || where.blocked;
}

// Where its lines come from, and what it looks for in them.
std::string why_no_binding(const RuleDefinition& rule) {
  const bool by_request = rule.format == LineFormat::access || rule.format == LineFormat::modsec_json;
  if (rule.format == LineFormat::syslog && rule.programs.empty()) return "needs programs: whose lines it is for";
  if (rule.programs.empty() && rule.files.empty()) return "needs files or programs: whose lines it is for";
  if (by_request && !rule.patterns.empty())
    return fmt::format("has format = \"{}\", of which fields are looked at: use where, not patterns",
                       format_name(rule.format));
  const bool where = has_where(rule.where);
  if (!by_request && rule.format != LineFormat::error && where)
    return "has where, which is for format = \"access\", \"modsec-json\" or \"error\"";
  if (!by_request && rule.patterns.empty() && !where) return "needs patterns";
  if (where && !rule.patterns.empty()) return "has patterns and where; it can have only one of them";
  return "";
}

std::string why_no_counting(const RuleDefinition& rule) {
  const bool by_request = rule.patterns.empty();
  using Count = RuleSettings::Count;
  const auto wants = [&](std::string_view tag) {
    return fmt::format("counts what its patterns don't capture: {}", tag);
  };
  const Count count = rule.settings.count;
  if (count == Count::users && !by_request && !any_pattern_has(rule, "<USER>")) return wants("<USER>");
  if (count == Count::ports && !any_pattern_has(rule, "<PORT>")) return wants("<PORT>");
  if (count == Count::paths && !by_request && !any_pattern_has(rule, "<PATH>")) return wants("<PATH>");
  if (rule.settings.distributed && !by_request && !any_pattern_has(rule, "<USER>"))
    return "has distributed, which counts the sources on one account, but its patterns don't capture <USER>";
  if (rule.settings.bucket && count != Count::attempts) return "has a bucket, which counts attempts only";
  return "";
}

}  // namespace

std::string read_rule_name(const TomlTable& table, uint32_t at_line, std::string_view kind, Complaints& complaints) {
  const auto entry = std::ranges::find(table, "name", &TomlEntry::key);
  const std::string key = fmt::format("{}.name", kind);
  if (entry == table.end()) {
    complaints.add(at_line, key, "is missing");
    return "";
  }
  const auto* name = std::get_if<std::string>(&entry->value.content);
  if (name != nullptr && is_name(*name)) return *name;
  complaints.add(entry->line, key,
                 fmt::format("must be of a-z, 0-9 and -, at most 40 of them, not {}", name_of(entry->value)));
  return "";
}

RuleDefinition read_rule(const TomlTable& table, uint32_t at_line, Complaints& complaints) {
  RuleDefinition rule;
  rule.at_line = at_line;
  rule.settings.name = read_rule_name(table, at_line, "rule", complaints);
  if (rule.settings.name.empty()) return rule;
  const size_t before = complaints.size();
  read_keys(table, at_line, false, rule, complaints);
  if (rule.about.empty()) complaints.add(at_line, rule.settings.name + ".about", "is missing: one sentence for people");
  if (complaints.size() == before) check_rule(rule, at_line, complaints);
  return rule;
}

void read_override(const TomlTable& table, uint32_t at_line, RuleDefinition& rule, Complaints& complaints) {
  const size_t before = complaints.size();
  if (has_key(table, "after") || has_key(table, "within")) rule.settings.bucket.reset();
  if (has_key(table, "bucket")) rule.settings.bucket.reset();
  read_keys(table, at_line, true, rule, complaints);
  if (complaints.size() == before) check_rule(rule, at_line, complaints);
}

void check_rule(const RuleDefinition& rule, uint32_t at_line, Complaints& complaints) {
  const auto complain = [&](const std::string& sentence) { complaints.add(at_line, rule.settings.name, sentence); };
  const RuleBan& ban = rule.settings.ban;
  if (ban.first && ban.at_most && *ban.first > *ban.at_most) complain("ban.for is longer than ban.at_most");
  if (rule.settings.count == RuleSettings::Count::bans) {
    const bool plain = rule.patterns.empty() && rule.programs.empty() && rule.files.empty() && !has_where(rule.where);
    if (!plain) complain("counts bans, for which no line is looked at: no programs, files, patterns or where");
    return;
  }
  if (const std::string why = why_no_binding(rule); !why.empty()) return complain(why);
  if (const std::string why = why_no_counting(rule); !why.empty()) complain(why);
}

}  // namespace palang
