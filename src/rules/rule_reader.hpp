#pragma once

#include <string_view>
#include <vector>

#include "model/complaints.hpp"
#include "model/toml_tree.hpp"
#include "rules/rule.hpp"

namespace palang {

// Some keys of a rule, changed by /etc/palang/rules.d.
struct RuleOverride {
  std::string name;
  const TomlTable* table = nullptr;
  uint32_t at_line = 0;
};

// Reads one [[rule]]. What is wrong goes to `complaints`; the rule is sound only if nothing was added to them.
[[nodiscard]] RuleDefinition read_rule(const TomlTable& table, uint32_t at_line, Complaints& complaints);

// Changes the keys of `rule` that the [[override]] has.
void read_override(const TomlTable& table, uint32_t at_line, RuleDefinition& rule, Complaints& complaints);

// The `name` of a table; "" (and a complaint) if there is none.
[[nodiscard]] std::string read_rule_name(const TomlTable& table, uint32_t at_line, std::string_view kind,
                                         Complaints& complaints);

// What no key can check alone; for rules and for what an override made of them.
void check_rule(const RuleDefinition& rule, uint32_t at_line, Complaints& complaints);

}  // namespace palang
