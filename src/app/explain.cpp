#include "app/explain.hpp"

#include <fmt/format.h>

#include <istream>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/followed_files.hpp"
#include "app/rule_loading.hpp"
#include "app/rule_words.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "cli/words.hpp"
#include "engine/line_reader.hpp"
#include "host/boot_time.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

// What the daemon has counted; asked once for each address.
class Counted {
 public:
  explicit Counted(const std::string& socket) : client_(socket) {}

  [[nodiscard]] std::optional<uint32_t> of(const Address& source, Rule rule) {
    if (unreachable_) return {};
    auto known = replies_.find(source);
    if (known == replies_.end()) {
      const auto body = client_.fetch({"GET", Target("/v1/progress").add("address", source.text()), ""});
      const auto reply = body ? read_progress(*body) : Result<ProgressReply>(Failure(body.error()));
      if (!reply) {
        unreachable_ = true;
        return {};
      }
      known = replies_.emplace(source, *reply).first;
    }
    for (const Progress& one : known->second.counts)
      if (one.rule == rule) return one.count;
    return 0;
  }

 private:
  ApiClient client_;
  bool unreachable_ = false;
  std::map<Address, ProgressReply> replies_;  // of the lines of one command, which its user chose
};

struct Explained {
  ParsedLine parsed;
  LogLine line;  // where it is no firewall's
  std::vector<RuleTrial> trials;
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

Json trial_json(const RuleTrial& trial, Counted& counted) {
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
  const auto count = trial.source ? counted.of(*trial.source, rule_named(trial.rule->settings.name)) : std::nullopt;
  json["counted"] = count ? Json(*count) : Json(nullptr);
  return json;
}

std::string as_json(std::string_view text, const Explained& explained, Counted& counted) {
  Json json;
  json["line"] = text;
  json["parsed"] = line_fate_name(explained.parsed.fate);
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
  for (const RuleTrial& trial : explained.trials) trials.push_back(trial_json(trial, counted));
  json["rules"] = std::move(trials);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string match_text(const RuleTrial& trial, Counted& counted) {
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
  if (!trial.source) return text + "\n";
  if (const auto count = counted.of(*trial.source, rule_named(trial.rule->settings.name)))
    return text + fmt::format("; the daemon has counted {} of it so far\n", *count);
  return text + "; no daemon answers that could say how far it is\n";
}

std::string as_text(std::string_view text, const Explained& explained, Counted& counted, const Console& console) {
  const LineFate fate = explained.parsed.fate;
  std::string out = Style(console.colour).bold(escape_controls(text)) + "\n";
  if (fate == LineFate::not_ours)
    out += fmt::format("  {} of {}, {}\n", explained.line.from_kernel ? "a message" : "a line",
                       explained.line.program.empty() ? "nobody" : escape_controls(explained.line.program),
                       format_local(explained.line.at));
  else
    out += fmt::format("  {}\n", fate_sentence(fate));
  const Event& event = explained.parsed.event;
  if (fate == LineFate::judged)
    return out + fmt::format("  {} tried {}/{} at {}; rule blocked\n", event.source.text(),
                             protocol_name(event.protocol), event.port, format_local(event.at));
  if (fate != LineFate::not_ours && fate != LineFate::no_header) return out + "  it is not judged\n";
  if (explained.trials.empty()) return out + "  no rule is for such lines\n";
  for (const RuleTrial& trial : explained.trials) out += match_text(trial, counted);
  return out;
}

}  // namespace

Result<void> run_explain(const ExplainOptions& options, const Console& console) {
  const auto config = load_config(options.config_path);
  if (!config) return Failure(config.error());
  auto rules = load_rule_set(*config);
  if (!rules) return Failure(rules.error());
  for (const std::string& fault : rules->faults) console.err << "palang: " << printable(fault) << "\n";
  Counted counted(options.socket);
  LineReader reader(boot_time());
  const std::string file = options.file.empty() ? "" : path_for_rules(options.file, rules->files);
  LineOrigin origin;
  origin.file = file;
  origin.unit = options.unit;
  const auto show = [&](const std::string& text) {
    const RawLine raw{text, Framing::syslog, SystemClock{}.now(), &origin};
    Explained explained;
    explained.parsed = reader.parse(raw);
    explained.line = reader.line();
    if (explained.parsed.fate == LineFate::not_ours || explained.parsed.fate == LineFate::no_header)
      explained.trials = reader.explain(raw, rules->book.rules);
    console.out << (options.json ? as_json(text, explained, counted) : as_text(text, explained, counted, console));
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
