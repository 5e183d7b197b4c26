#pragma once

#include "engine/jail_set.hpp"
#include "rules/rule_set.hpp"

namespace palang {

// All that is looked for in the lines of services: palang's own rules, and the jails of a fail2ban configuration.
struct RuleBook {
  RuleSet rules;
  JailSet jails;

  [[nodiscard]] size_t size() const { return rules.size() + jails.size(); }
  // Searches that were given up because a line made a pattern backtrack without end.
  [[nodiscard]] uint64_t given_up() const { return rules.given_up() + jails.given_up(); }
};

}  // namespace palang
