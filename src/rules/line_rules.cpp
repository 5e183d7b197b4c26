#include "rules/line_rules.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/address_text.hpp"
#include "rules/pattern_cost.hpp"
#include "rules/tags.hpp"

namespace palang {

Result<void> LineRules::add(uint32_t id, const RuleDefinition& rule) {
  Rule added{id, {}};
  const auto index = static_cast<uint32_t>(rules_.size());
  for (const std::string& text : rule.patterns) {
    const auto expanded = expand_tags(text);
    if (!expanded) return Failure(expanded.error());
    auto regex = Regex::compile(*expanded, {.linear = is_linear(text)});
    if (!regex) return Failure(regex.error());
    const auto number = [&](std::string_view name) { return regex->number_of(name).value_or(0); };
    const uint32_t addr = number(addr_group);
    const uint32_t user = number(user_group);
    const uint32_t path = number(path_group);
    const uint32_t port = number(port_group);
    patterns_.push_back({std::move(*regex), index, addr, user, path, port, text});
    texts_.push_back({*expanded, false, false, loosen_tags(text)});
  }
  for (const std::string& text : rule.ignore) {
    const auto expanded = expand_tags(text);
    if (!expanded) return Failure(expanded.error());
    auto regex = Regex::compile(*expanded, {.linear = is_linear(text)});
    if (!regex) return Failure(regex.error());
    added.ignore.push_back(std::move(*regex));
  }
  rules_.push_back(std::move(added));
  return {};
}

void LineRules::finish() {
  set_ = PatternSet::compile(texts_);
  texts_ = {};
}

std::optional<Captured> LineRules::capture(const Pattern& pattern, std::string_view message, Captures& captures) {
  if (!pattern.regex.match(message, captures)) return {};
  const auto group = [&](uint32_t number) {
    return number == 0 ? std::string_view{} : captures.group(number).value_or(std::string_view{});
  };
  const auto address = read_address(group(pattern.addr));
  if (!address || !address->is_unicast()) return {};
  Captured captured{*address, group(pattern.user), group(pattern.path), 0, pattern.text};
  const std::string_view port = group(pattern.port);
  std::from_chars(port.data(), port.data() + port.size(), captured.port);
  return captured;
}

void LineRules::match(std::string_view message, ScanMemory& memory, Captures& captures, std::vector<Match>& matches) {
  matches.clear();
  set_.candidates(message, memory, candidates_);
  uint32_t done = UINT32_MAX;  // patterns of one rule stand together
  for (const uint32_t candidate : candidates_) {
    const Pattern& pattern = patterns_[candidate];
    if (pattern.rule == done) continue;
    auto captured = capture(pattern, message, captures);
    if (!captured) continue;
    done = pattern.rule;
    const Rule& rule = rules_[pattern.rule];
    const bool ignored =
        std::ranges::any_of(rule.ignore, [&](const Regex& regex) { return regex.match(message, captures); });
    matches.push_back({rule.id, ignored, *captured});
  }
}

}  // namespace palang
