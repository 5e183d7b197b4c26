#include "model/rule_settings.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <utility>

#include "base/guarded.hpp"

namespace palang {
namespace {

// "10 minutes"; "1h30m" where one unit is not enough.
std::string in_words(Duration duration) {
  constexpr std::array<std::pair<std::string_view, Duration>, 5> units{
      {{"day", one_day}, {"hour", 1h}, {"minute", 1min}, {"second", 1s}, {"millisecond", 1ms}}};
  for (const auto& [name, length] : units) {
    if (duration < length || duration % length != Duration::zero()) continue;
    const auto count = duration / length;
    return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
  }
  return format_duration(duration);
}

std::string counted_text(const RuleSettings& rule, uint32_t count) {
  const bool named = !rule.what.empty();
  const std::string_view what = named ? std::string_view(rule.what) : "matching lines";
  switch (rule.count) {
    case RuleSettings::Count::attempts: return fmt::format("{} {}", count, what);
    case RuleSettings::Count::users: return fmt::format("{} to {} accounts", what, count);
    case RuleSettings::Count::ports: return fmt::format("{} to {} ports", what, count);
    case RuleSettings::Count::paths: return fmt::format("{}, {} different ones", what, count);
    case RuleSettings::Count::bans: return fmt::format("banned {} times", count);
  }
  return "";
}

struct Words {
  RuleSettings settings;
  bool distributed;
};

using Vocabulary = std::map<std::string, Words, std::less<>>;

Guarded<Vocabulary>& vocabulary() {
  static Guarded<Vocabulary> words;
  return words;
}

}  // namespace

std::string reason_text(const RuleSettings& rule, uint32_t count) {
  const std::string_view whose = rule.by == RuleSettings::By::prefix ? " from its network" : "";
  if (rule.bucket)
    return fmt::format("more than {} {} at once{}, and one each {}", rule.bucket->capacity,
                       rule.what.empty() ? "matching lines" : rule.what, whose, in_words(rule.bucket->leak));
  if (count <= 1 && rule.count != RuleSettings::Count::bans)
    return fmt::format("{}{}: the first is enough", rule.what.empty() ? "matching lines" : rule.what, whose);
  return fmt::format("{}{} within {}", counted_text(rule, count), whose, in_words(rule.within));
}

std::string distributed_reason_text(const RuleSettings& rule, uint32_t sources) {
  return fmt::format("one of {} addresses with {} to the same account{}", sources,
                     rule.what.empty() ? "matching lines" : rule.what,
                     rule.distributed ? " within " + in_words(rule.distributed->within) : "");
}

void use_reasons_of(std::span<const RuleSettings> rules) {
  Vocabulary fresh;
  for (const RuleSettings& rule : rules) {
    fresh.insert_or_assign(rule.name, Words{rule, false});
    if (rule.distributed) fresh.insert_or_assign(distributed_name(rule), Words{rule, true});
  }
  vocabulary().with([&](Vocabulary& words) { words.swap(fresh); });
}

std::string reason_by_rule(std::string_view rule, uint32_t count) {
  return vocabulary().with([&](const Vocabulary& words) -> std::string {
    const auto found = words.find(rule);
    if (found == words.end()) return fmt::format("counted {} time{}", count, count == 1 ? "" : "s");
    const Words& known = found->second;
    return known.distributed ? distributed_reason_text(known.settings, count) : reason_text(known.settings, count);
  });
}

}  // namespace palang
