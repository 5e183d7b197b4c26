#include "model/rule.hpp"

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "base/guarded.hpp"

namespace palang {
namespace {

constexpr std::array<std::string_view, 5> fixed_names{"blocked", "portscan", "tripwire", "manual", "recovered"};

class RuleNames {
 public:
  RuleNames() {
    for (const std::string_view name : fixed_names) add(name);
  }

  [[nodiscard]] std::string_view name_of(Rule rule) const {
    const auto id = static_cast<size_t>(rule);
    return id < names_.size() ? std::string_view(names_[id]) : "?";
  }

  [[nodiscard]] std::optional<Rule> find(std::string_view name) const {
    const auto found = ids_.find(name);
    if (found == ids_.end()) return {};
    return found->second;
  }

  Rule add(std::string_view name) {
    const auto rule = static_cast<Rule>(names_.size());
    ids_.emplace(names_.emplace_back(name), rule);
    return rule;
  }

  [[nodiscard]] size_t size() const { return names_.size(); }

 private:
  std::deque<std::string> names_;  // never moved, so views of them stay valid
  std::map<std::string_view, Rule> ids_;
};

Guarded<RuleNames>& registry() {
  static Guarded<RuleNames> names;
  return names;
}

}  // namespace

std::string_view rule_name(Rule rule) {
  const auto id = static_cast<size_t>(rule);
  if (id < fixed_names.size()) return fixed_names[id];
  return registry().with([&](const RuleNames& names) { return names.name_of(rule); });
}

Rule rule_named(std::string_view name) {
  return registry().with([&](RuleNames& names) {
    if (const auto known = names.find(name)) return *known;
    if (name.empty() || name.size() > longest_rule_name || names.size() >= most_rules) return Rule::recovered;
    return names.add(name);
  });
}

std::optional<Rule> known_rule(std::string_view name) {
  return registry().with([&](const RuleNames& names) { return names.find(name); });
}

std::vector<Rule> known_rules() {
  const size_t count = registry().with([](const RuleNames& names) { return names.size(); });
  std::vector<Rule> rules(count);
  for (size_t i = 0; i < count; ++i) rules[i] = static_cast<Rule>(i);
  return rules;
}

}  // namespace palang
