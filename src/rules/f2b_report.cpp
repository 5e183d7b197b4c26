#include "rules/f2b_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "rules/ambiguity.hpp"
#include "rules/f2b_dialect.hpp"
#include "rules/f2b_filter.hpp"

namespace palang::f2b {

namespace {

// The failregex as palang's own patterns are written: one <ADDR>, the other tags as plain groups.
std::string with_plain_tags(std::string_view pattern) {
  std::string result;
  while (!pattern.empty()) {
    const size_t open = std::min(pattern.find('<'), pattern.size());
    result.append(pattern.substr(0, open));
    pattern.remove_prefix(open);
    const size_t close = pattern.find('>');
    if (pattern.empty() || close == std::string_view::npos) break;
    const std::string_view tag = pattern.substr(1, close - 1);
    std::string_view with = pattern.substr(0, close + 1);
    if (result.ends_with("(?P") || result.ends_with("(?")) {
      // A group's name.
    } else if (tag == "HOST" || tag == "ADDR" || tag == "F-ADDR/" || tag == "IP4" || tag == "IP6" || tag == "SUBNET" ||
               tag == "DNS" || tag == "F-IP4/" || tag == "F-IP6/" || tag == "F-SUBNET/" || tag == "F-DNS/") {
      with = "<ADDR>";
    } else if (tag == "F-ID/" || tag == "F-PORT/") {
      with = tag == "F-ID/" ? R"(\S+)" : R"(\w+)";
    } else if (tag == "CIDR" || tag == "F-CIDR/") {
      with = R"(\d+)";
    } else if (tag == "SKIPLINES") {
      with = R"((?:.*\n)*)";
    } else if (tag.starts_with("/F-")) {
      with = ")";
    } else if (tag.starts_with("F-")) {
      with = "(?:";
    }
    result.append(with);
    pattern.remove_prefix(close + 1);
  }
  return result.append(pattern);
}

std::string ban_text(const Jail& jail) {
  if (!jail.ban_time) return "for ever";
  std::string text = "for " + format_duration(*jail.ban_time);
  if (!jail.increment.enabled) return text;
  text += ", longer each time";
  if (jail.increment.at_most) text += " up to " + format_duration(*jail.increment.at_most);
  return text;
}

std::string source_text(const Jail& jail) {
  if (!jail.journal) {
    std::string text;
    for (const JailLog& log : jail.logs) text += (text.empty() ? "" : ", ") + log.pattern;
    return text;
  }
  std::string text = "the journal";
  for (const std::string& match : jail.definition.journalmatch) text += " [" + match + "]";
  return text;
}

void report_ban(const Jail& jail, JailReport& report) {
  const BanIncrement& increment = jail.increment;
  if (!jail.ban_time)
    report.differs.emplace_back(
        "bantime = -1: palang has no ban without an end; the longest one is used (ban.at_most)");
  if (increment.enabled && !increment.formula.empty())
    report.differs.emplace_back("bantime.formula is a program in Python: the length of a ban doubles instead");
  if (increment.enabled && increment.random > Duration{})
    report.differs.emplace_back("bantime.rndtime: nothing is added at random to the length of a ban");
  if (increment.enabled && !increment.multipliers.empty())
    report.differs.emplace_back("bantime.multipliers: the length of a ban doubles with each one that is remembered");
}

void report_ignored(const Jail& jail, JailReport& report) {
  if (!jail.ignored.empty()) {
    std::string text;
    for (const Prefix& prefix : jail.ignored) text += (text.empty() ? "" : ", ") + prefix.text();
    report.becomes.push_back("never banned by it: " + text);
  }
  for (const std::string& name : jail.ignored_names)
    report.differs.push_back("ignoreip has the host name " + escape_controls(name) +
                             ": names aren't resolved; write its addresses");
  if (!jail.ignore_self)
    report.differs.emplace_back("ignoreself = false: palang never bans the addresses of its own machine");
}

void report_filter(const Jail& jail, JailReport& report) {
  const Definition& filter = jail.definition;
  const std::string pattern = filter.prefregex + " " + fmt::format("{}", fmt::join(filter.failregex, " "));
  const bool has_names = pattern.find("<HOST>") != std::string::npos || pattern.find("<DNS>") != std::string::npos;
  if (has_names && filter.usedns != "no" && filter.usedns != "raw")
    report.differs.push_back(
        "usedns = " + escape_controls(filter.usedns) +
        ": names aren't resolved; a line that has a host name in place of the address bans nobody");
  if (filter.maxlines > 1 || pattern.find("<F-MLFID>") != std::string::npos)
    report.differs.emplace_back("it follows sessions over several lines: one under way is forgotten over a restart");
  if (!jail.journal && std::ranges::none_of(jail.logs, [](const JailLog& log) { return log.files > 0; }))
    report.differs.emplace_back("none of its files is there now; they are read once they appear");
  if (jail.journal && filter.journalmatch.empty())
    report.differs.emplace_back("it has no journalmatch: every entry of the journal is offered to it");
  if (jail.backend.find('[') != std::string::npos)
    report.differs.push_back("options of the backend are not carried over: " + escape_controls(jail.backend));
}

void report_tricks(const Jail& jail, JailReport& report) {
  for (const std::string& pattern : jail.definition.failregex) {
    const std::string why = why_tricked(pattern, jail.definition.prefix_line);
    if (!why.empty()) report.may_be_tricked.push_back("\"" + escape_controls(pattern) + "\": " + why);
  }
}

}  // namespace

std::string why_tricked(std::string_view failregex, std::string_view prefix_line) {
  std::string pattern(failregex);
  const size_t start = pattern.starts_with('^') ? 1 : 0;
  if (!prefix_line.empty() && std::string_view(pattern).substr(start).starts_with(prefix_line)) {
    pattern.erase(start, prefix_line.size());
    if (start == 0) pattern.insert(0, "^");
  }
  const std::string plain = to_pcre(with_plain_tags(pattern), false);
  if (plain.find("<ADDR>") == std::string::npos) return "";
  std::string_view inner = plain;
  while (inner.starts_with("(?:") || inner.starts_with("\\s*")) inner.remove_prefix(3);
  if (!inner.starts_with('^'))
    return "it does not begin with ^, so that what it looks for may stand in text that an attacker wrote";
  return why_ambiguous(plain);
}

JailReport report_on(const Jail& jail) {
  JailReport report;
  report.jail = jail.name;
  report.complaints = jail.complaints;
  report.complaints.insert(report.complaints.end(), jail.definition.complaints.begin(),
                           jail.definition.complaints.end());
  if (!jail.problem.empty()) {
    report.differs.push_back("it can't be carried over: " + jail.problem);
    return report;
  }
  const auto compiled = Filter::compile(jail.definition);
  if (!compiled) {
    report.differs.push_back("it can't be carried over: " + compiled.error().text);
    return report;
  }
  report.carried_over = true;
  report.becomes.push_back(fmt::format("{} failure{} within {} by the filter {} ({} pattern{}) in {}: banned {}",
                                       jail.max_retry, jail.max_retry == 1 ? "" : "s", format_duration(jail.find_time),
                                       jail.definition.name, jail.definition.failregex.size(),
                                       jail.definition.failregex.size() == 1 ? "" : "s", source_text(jail),
                                       ban_text(jail)));
  report_ignored(jail, report);
  report_ban(jail, report);
  report_filter(jail, report);
  if (!jail.port.empty() && jail.port != "0:65535")
    report.differs.push_back("port = " + escape_controls(jail.port) + ": palang bans on every port");
  for (const Reference& action : jail.actions)
    report.differs.push_back("the action " + escape_controls(action.name) +
                             " isn't run: palang's own table takes its place");
  report_tricks(jail, report);
  return report;
}

}  // namespace palang::f2b
