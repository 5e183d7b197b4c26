#include "app/explain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/explain_counts.hpp"
#include "app/followed_files.hpp"
#include "app/rule_loading.hpp"
#include "app/rule_words.hpp"
#include "base/text.hpp"
#include "cli/words.hpp"
#include "engine/line_reader.hpp"
#include "host/boot_time.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

struct Explained {
  ParsedLine parsed;
  LogLine line;  // where it is no firewall's
  std::vector<RuleTrial> trials;
  std::vector<JailTrial> jails;
};

std::string_view fate_sentence(LineFate fate) {
  switch (fate) {
    case LineFate::judged: return "a packet that the firewall refused";
    case LineFate::not_ours: return "a line with a header";
    case LineFate::no_header: return "no header that is known";
    case LineFate::broken: return "a firewall's line that is cut off or masked";
    case LineFate::backscatter: return "a firewall's line about an answer, not a contact";
    case LineFate::outbound: return "a firewall's line about a packet from this host";
    case LineFate::forwarded: return "a firewall's line about a packet through this host";
    case LineFate::group: return "a firewall's line about a multicast or broadcast";
    case LineFate::matched:
    case LineFate::unmatched:
    case LineFate::read_elsewhere: break;
  }
  return "a line";
}

void add_distance(Json& json, const Address& source, Rule rule, ExplainCounts& counts) {
  const Distance distance = counts.distance_of(source, rule);
  json["enough"] = distance.enough;
  json["counted_here"] = distance.here;
  json["reached"] = distance.reached;
  json["counted"] = distance.daemon ? Json(*distance.daemon) : Json(nullptr);
}

Json trial_json(const RuleTrial& trial, ExplainCounts& counts) {
  Json json;
  json["rule"] = trial.rule->settings.name;
  json["matched"] = trial.matched;
  json["ignored"] = trial.ignored;
  if (!trial.matched) return json;
  json["pattern"] = trial.pattern;
  json["address"] = trial.source ? Json(trial.source->text()) : Json(nullptr);
  json["user"] = trial.user;
  json["target"] = trial.target;
  json["threshold"] = threshold_text(trial.rule->settings);
  if (trial.source) add_distance(json, *trial.source, rule_named(trial.rule->settings.name), counts);
  return json;
}

Json jail_json(const JailTrial& trial, ExplainCounts& counts) {
  Json json;
  json["jail"] = trial.jail->name;
  json["filter"] = trial.jail->filter.name;
  json["matched"] = trial.matched;
  json["ignored"] = trial.ignored;
  if (!trial.matched) return json;
  json["pattern"] = trial.pattern;
  json["source"] = trial.source.text();
  json["user"] = trial.user;
  json["threshold"] = threshold_text(settings_of(*trial.jail, BanSettings{}));
  add_distance(json, trial.source.address(), trial.rule, counts);
  return json;
}

// "access", "error": the formats, besides lines with a header, in which rules have the line read.
std::string formats_of(const Explained& explained) {
  std::vector<std::string_view> names;
  for (const RuleTrial& trial : explained.trials) {
    const std::string_view name = format_name(trial.rule->format);
    if (trial.rule->format != LineFormat::syslog && std::ranges::find(names, name) == names.end())
      names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, " and "));
}

std::string as_json(std::string_view text, const Explained& explained, ExplainCounts& counts) {
  Json json;
  json["line"] = text;
  json["parsed"] = line_fate_name(explained.parsed.fate);
  const std::string formats = formats_of(explained);
  json["format"] = formats.empty() ? Json(nullptr) : Json(formats);
  const Event& event = explained.parsed.event;
  if (explained.parsed.fate == LineFate::judged) {
    json["at"] = format_utc(event.at);
    json["address"] = event.source.text();
    json["protocol"] = protocol_name(event.protocol);
    json["port"] = event.port;
  } else if (explained.parsed.fate == LineFate::not_ours) {
    json["at"] = format_utc(explained.line.at);
    json["program"] = explained.line.program;
  }
  Json trials = Json::array();
  for (const RuleTrial& trial : explained.trials) trials.push_back(trial_json(trial, counts));
  json["rules"] = std::move(trials);
  Json jails = Json::array();
  for (const JailTrial& trial : explained.jails) jails.push_back(jail_json(trial, counts));
  json["jails"] = std::move(jails);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

// ": 2 of 5 in these lines, 1 of 5 counted by the daemon"
std::string distance_text(const Distance& distance) {
  const std::string text =
      distance.reached ? fmt::format(", which this line reaches ({} of {})", distance.here, distance.enough)
                       : fmt::format("; the lines explained here make {} of {}", distance.here, distance.enough);
  if (distance.daemon) return text + fmt::format("; the daemon has counted {}", *distance.daemon);
  return text + "; no daemon answers that could tell of others";
}

std::string match_text(const RuleTrial& trial, ExplainCounts& counts) {
  std::string text = fmt::format("  {}: ", trial.rule->settings.name);
  if (!trial.matched) return text + "doesn't match\n";
  if (trial.ignored) return text + "matches, and is none of its concern: one of its 'ignore' patterns matches, too\n";
  text += "matches";
  if (trial.source) text += ", " + trial.source->text();
  if (!trial.user.empty()) text += fmt::format(", account '{}'", escape_controls(trial.user));
  if (!trial.target.empty()) text += fmt::format(", target '{}'", escape_controls(trial.target));
  text += "\n";
  if (!trial.pattern.empty()) text += fmt::format("    by {}\n", escape_controls(trial.pattern));
  text += fmt::format("    found at {}", threshold_text(trial.rule->settings));
  if (trial.source) text += distance_text(counts.distance_of(*trial.source, rule_named(trial.rule->settings.name)));
  return text + "\n";
}

std::string jail_text(const JailTrial& trial, ExplainCounts& counts) {
  std::string text = fmt::format("  fail2ban's jail {} (filter {}): ", escape_controls(trial.jail->name),
                                 escape_controls(trial.jail->filter.name));
  if (!trial.matched) return text + "finds no failure\n";
  const std::string source = trial.source.is_single() ? trial.source.address().text() : trial.source.text();
  text += "matches, " + source;
  if (!trial.user.empty()) text += fmt::format(", account '{}'", escape_controls(trial.user));
  text += fmt::format("\n    by {}\n", escape_controls(trial.pattern));
  if (trial.ignored) return text + "    which is in its ignoreip\n";
  return text + fmt::format("    found at {}{}\n", threshold_text(settings_of(*trial.jail, BanSettings{})),
                            distance_text(counts.distance_of(trial.source.address(), trial.rule)));
}

std::string as_text(std::string_view text, const Explained& explained, ExplainCounts& counts, const Console& console) {
  const LineFate fate = explained.parsed.fate;
  std::string out = Style(console.colour).bold(escape_controls(text)) + "\n";
  if (fate == LineFate::not_ours)
    out += fmt::format("  {} of {}, {}\n", explained.line.from_kernel ? "a message" : "a line",
                       explained.line.program.empty() ? "nobody" : escape_controls(explained.line.program),
                       format_local(explained.line.at));
  else
    out += fmt::format("  {}\n", fate_sentence(fate));
  if (const std::string formats = formats_of(explained); !formats.empty())
    out += fmt::format("  read as {}, as rules want the lines of its {}\n", formats,
                       fate == LineFate::not_ours ? "program" : "file");
  const Event& event = explained.parsed.event;
  if (fate == LineFate::judged)
    return out + fmt::format("  {} tried {}/{} at {}; rule blocked\n", event.source.text(),
                             protocol_name(event.protocol), event.port, format_local(event.at));
  if (fate != LineFate::not_ours && fate != LineFate::no_header) return out + "  it is not judged\n";
  if (explained.trials.empty() && explained.jails.empty()) return out + "  no rule is for such lines\n";
  for (const RuleTrial& trial : explained.trials) out += match_text(trial, counts);
  for (const JailTrial& trial : explained.jails) out += jail_text(trial, counts);
  return out;
}

}  // namespace

Result<void> run_explain(const ExplainOptions& options, const Console& console) {
  const auto config = load_config(options.config_path);
  if (!config) return Failure(config.error());
  auto rules = load_rule_set(*config);
  if (!rules) return Failure(rules.error());
  for (const std::string& fault : rules->faults) console.err << "palang: " << printable(fault) << "\n";
  PolicySettings policy = config->policy;
  policy.rules = rules->settings;
  ExplainCounts counts(policy, options.socket);
  LineReader reader(boot_time());
  const std::string file = options.file.empty() ? "" : path_for_rules(options.file, rules->files);
  LineOrigin origin;
  origin.file = file;
  origin.unit = options.unit;
  RuleBook book;
  book.rules = std::move(rules->book.rules);
  JailSet jails = std::move(rules->book.jails);
  const bool from_anywhere = file.empty() && options.unit.empty();
  std::vector<Event> events;
  const auto show = [&](const std::string& text) {
    const RawLine raw{text, Framing::syslog, SystemClock{}.now(), &origin};
    Explained explained;
    explained.parsed = reader.parse(raw);
    explained.line = reader.line();
    const LineFate fate = explained.parsed.fate;
    events.clear();
    if (fate == LineFate::not_ours || fate == LineFate::no_header) {
      (void)reader.by_rules(raw, fate, book, events);
      explained.jails = jails.explain(raw, from_anywhere, events);
      counts.count(events);
      explained.trials = reader.explain(raw, book.rules);
    }
    console.out << (options.json ? as_json(text, explained, counts) : as_text(text, explained, counts, console));
  };
  if (options.line) {
    show(*options.line);
  } else {
    for (std::string text; std::getline(console.in, text);) show(text);
  }
  console.out << std::flush;
  return {};
}

}  // namespace palang
