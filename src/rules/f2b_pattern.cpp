#include "rules/f2b_pattern.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/text.hpp"
#include "rules/f2b_dialect.hpp"
#include "rules/f2b_ini.hpp"

namespace palang::f2b {

namespace {

// What the tags take is part of fail2ban's interface: filters rely on it.
const std::string address4 = R"((?:::f{4,6}:)?(?P<ip4>(?:\d{1,3}\.){3}\d{1,3}))";
const std::string address6 = R"((?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)))";
const std::string host_name = R"((?P<dns>[\w\-.^_]*\w))";
const std::string prefix_length = R"((?P<cidr>\d+))";
const std::string either = "(?:" + address4 + "|" + address6 + ")";
const std::string address = R"(\[?)" + either + R"(\]?)";
const std::string subnet = R"(\[?)" + either + "(?:/" + prefix_length + R"()?\]?)";

const std::map<std::string_view, std::string_view>& fixed_tags() {
  static const std::map<std::string_view, std::string_view> tags = {{"IP4", address4},
                                                                    {"F-IP4/", address4},
                                                                    {"IP6", address6},
                                                                    {"F-IP6/", address6},
                                                                    {"ADDR", address},
                                                                    {"F-ADDR/", address},
                                                                    {"DNS", host_name},
                                                                    {"F-DNS/", host_name},
                                                                    {"CIDR", prefix_length},
                                                                    {"F-CIDR/", prefix_length},
                                                                    {"SUBNET", subnet},
                                                                    {"F-SUBNET/", subnet},
                                                                    {"F-ID/", R"((?P<fid>\S+))"},
                                                                    {"F-PORT/", R"((?P<fport>\w+))"}};
  return tags;
}

std::string group_of(std::string_view tag) {
  std::string name = lower(tag);
  if (name == "id") return "fid";
  if (name == "port") return "fport";
  return name;
}

bool is_tag_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte == '-';
}

bool is_custom_byte(char byte) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

// The length of the tag that text begins with ("<HOST>", "</F-USER>", "<F-ID/>"), or 0.
size_t tag_length(std::string_view text) {
  size_t at = text.starts_with("</") ? 2 : 1;
  const size_t start = at;
  while (at < text.size() && is_tag_byte(text[at])) ++at;
  if (at == start) return 0;
  if (at < text.size() && text[at] == '/') ++at;
  return at < text.size() && text[at] == '>' ? at + 1 : 0;
}

class TagExpansion {
 public:
  explicit TagExpansion(bool names, bool coarse = false) : names_(names), coarse_(coarse) {}

  [[nodiscard]] std::string run(std::string_view pattern) {
    std::string result;
    while (!pattern.empty()) {
      const size_t open = std::min(pattern.find('<'), pattern.size());
      result.append(pattern.substr(0, open));
      pattern.remove_prefix(open);
      if (pattern.empty()) break;
      const size_t length = tag_length(pattern);
      result += length == 0 ? "<" : replacement(pattern.substr(0, length));
      pattern.remove_prefix(std::max<size_t>(length, 1));
    }
    return result;
  }

 private:
  [[nodiscard]] std::string replacement(std::string_view tag) {
    std::string_view name = tag.substr(1, tag.size() - 2);
    if (coarse_ && (name == "HOST" || fixed_tags().contains(name))) return R"(\S+)";
    if (name == "HOST") return names_ ? "(?:" + address + "|" + host_name + ")" : address;
    if (name == "SKIPLINES") return R"(\n(?P<skiplines)" + std::to_string(skips_++) + R"(>(?:(?:.*\n)*?)))";
    if (const auto fixed = fixed_tags().find(name); fixed != fixed_tags().end()) return std::string(fixed->second);
    const bool closes = name.starts_with('/');
    if (closes) name.remove_prefix(1);
    if (!name.starts_with("F-") || name.size() == 2 || !std::ranges::all_of(name, is_custom_byte))
      return std::string(tag);
    name.remove_prefix(2);
    if (closes) return open_.contains(name) ? ")" : std::string(tag);
    open_.emplace(name);
    return "(?P<" + group_of(name) + ">";
  }

  bool names_;
  bool coarse_;
  int skips_ = 0;
  std::set<std::string, std::less<>> open_;
};

// "alt_user_1" after "alt_" → "user": the number at its end only tells several apart.
std::string part_target(std::string_view rest) {
  const size_t digits = rest.find_last_not_of("0123456789");
  if (digits != std::string_view::npos && digits + 1 < rest.size() && rest[digits] == '_')
    rest = rest.substr(0, digits);
  return group_of(rest);
}

constexpr std::array<std::string_view, 5> identities = {"fid", "ip4", "ip6", "dns", "mlfid"};

}  // namespace

bool is_wide_utf8(std::string_view text) {
  // Nearly all lines are ASCII: eight bytes at a time.
  size_t ascii = 0;
  for (uint64_t word = 0; ascii + sizeof word <= text.size(); ascii += sizeof word) {
    std::memcpy(&word, text.data() + ascii, sizeof word);
    if ((word & 0x8080808080808080) != 0) break;
  }
  bool wide = false;
  for (size_t at = ascii; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return false;
    for (size_t next = 1; next < length; ++next)
      if ((static_cast<unsigned char>(text[at + next]) & 0xc0) != 0x80) return false;
    const auto second = static_cast<unsigned char>(text[at + 1]);
    // Overlong forms, surrogates, beyond U+10FFFF.
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f))
      return false;
    wide = true;
    at += length;
  }
  return wide;
}

std::string expand_tags(std::string_view pattern, bool names) {
  return TagExpansion(names).run(pattern);
}

namespace {

// Whether it refers to groups by their numbers, which shift when groups are left out.
bool has_numbered_references(std::string_view python) {
  for (size_t at = python.find('\\'); at != std::string_view::npos; at = python.find('\\', at + 2))
    if (at + 1 < python.size() && python[at + 1] >= '1' && python[at + 1] <= '9') return true;
  for (size_t at = python.find("(?("); at != std::string_view::npos; at = python.find("(?(", at + 1))
    if (at + 3 < python.size() && python[at + 3] >= '0' && python[at + 3] <= '9') return true;
  return false;
}

}  // namespace

std::string Pattern::coarse() const {
  if (has_numbered_references(python_)) return expanded_;
  return to_pcre(TagExpansion(options_.names, true).run(source_), false);
}

Result<Pattern> Pattern::compile(std::string_view pattern, Options options) {
  const std::string python = expand_tags(pattern, options.names);
  if (strip(python).empty()) return fail("the pattern is empty");
  std::string expanded = to_pcre(python, false);
  auto bytes = Regex::compile(expanded, {.multiline = options.multiline});
  if (!bytes) return fail("the pattern \"" + escape_controls(pattern) + "\": " + bytes.error().text);
  Pattern compiled(std::move(*bytes));
  compiled.source_ = pattern;
  compiled.expanded_ = std::move(expanded);
  compiled.python_ = python;
  compiled.options_ = options;
  compiled.find_parts();
  return compiled;
}

void Pattern::find_parts() {
  for (const Regex::Name& name : bytes_.names()) {
    const std::string_view text = name.name;
    if (text.starts_with("alt_") && text.size() > 4) alternatives_.push_back({name.name, part_target(text.substr(4))});
    if (text.starts_with("tuple_") && text.size() > 6) tuples_.push_back({name.name, part_target(text.substr(6))});
  }
  for (int number = 0;; ++number) {
    const auto group = bytes_.number_of("skiplines" + std::to_string(number));
    if (!group) break;
    skips_.push_back(*group);
  }
}

bool Pattern::search(const Subject& subject, Captures& captures, size_t from) {
  if (subject.utf && !wide_ && !wide_failed_) {
    auto wide = Regex::compile(to_pcre(python_, true), {.multiline = options_.multiline, .utf = true});
    if (wide) {
      wide_ = std::move(*wide);
    } else {
      wide_failed_ = true;
    }
  }
  const Regex& regex = subject.utf && wide_ ? *wide_ : bytes_;
  return regex.match(subject.text, captures, from);
}

void Pattern::update(const Captures& captures, Fields& fields) const {
  Fields current;
  // Both forms of the pattern number their groups alike.
  for (const Regex::Name& name : bytes_.names()) {
    if (const auto text = captures.group(name.number)) current.emplace(name.name, *text);
    fields.erase(name.name);
  }
  for (const Part& part : alternatives_) {
    const auto from = current.find(part.group);
    if (from == current.end() || from->second.empty()) continue;
    std::string& target = current[part.target];
    if (target.empty()) target = from->second;
  }
  for (const Part& part : tuples_) {
    const auto from = current.find(part.group);
    current[part.target].append(", ").append(from == current.end() ? "" : from->second);
  }
  for (auto& [name, text] : current) fields[name] = std::move(text);
}

std::vector<std::string_view> Pattern::skipped_lines(const Captures& captures) const {
  std::vector<std::string_view> lines;
  for (const uint32_t group : skips_) {
    std::string_view text = captures.group(group).value_or("");
    while (!text.empty()) {
      const size_t end = text.find('\n');
      lines.push_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }
  return lines;
}

bool Pattern::names_someone() const {
  return std::ranges::any_of(identities, [&](std::string_view name) { return bytes_.number_of(name).has_value(); });
}

}  // namespace palang::f2b
