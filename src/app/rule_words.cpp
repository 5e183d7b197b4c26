#include "app/rule_words.hpp"

#include <fmt/format.h>

namespace palang {
namespace {

std::string_view noun_of(RuleSettings::Count count, bool one) {
  switch (count) {
    case RuleSettings::Count::attempts: return one ? "attempt" : "attempts";
    case RuleSettings::Count::users: return one ? "account" : "distinct accounts";
    case RuleSettings::Count::ports: return one ? "port" : "distinct ports";
    case RuleSettings::Count::paths: return one ? "path" : "distinct paths";
    case RuleSettings::Count::bans: return one ? "ban" : "bans";
  }
  return "?";
}

}  // namespace

std::string threshold_text(const RuleSettings& rule) {
  const std::string_view whose = rule.by == RuleSettings::By::prefix ? " of a network" : "";
  std::string text;
  if (rule.bucket)
    text = fmt::format("more than {} attempts{}, less one each {}", rule.bucket->capacity, whose,
                       format_duration(rule.bucket->leak));
  else if (rule.after <= 1)
    text = fmt::format("the first {}{}", noun_of(rule.count, true), whose);
  else
    text =
        fmt::format("{} {}{} within {}", rule.after, noun_of(rule.count, false), whose, format_duration(rule.within));
  if (rule.distributed)
    text += fmt::format(", or {} addresses on one account within {}", rule.distributed->sources,
                        format_duration(rule.distributed->within));
  return text;
}

std::string ban_text(const RuleBan& ban) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (ban.first) add(format_duration(*ban.first));
  if (ban.at_most) add("at most " + format_duration(*ban.at_most));
  if (ban.scope) add(std::string(scope_name(*ban.scope)));
  return text;
}

}  // namespace palang
