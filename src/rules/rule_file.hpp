#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "rules/rule.hpp"

namespace palang {

// What rule files hold, and what is wrong with them. A rule with a fault is left out; the others go on.
struct LoadedRules {
  std::vector<RuleDefinition> rules;
  std::vector<std::string> faults;  // each one line: "<file>:<line>: <key>: <sentence>"
};

struct RuleText {
  std::string file;
  std::string text;
};

inline constexpr std::string_view shipped_rules_directory = "/usr/share/palang/rules";
inline constexpr std::string_view own_rules_directory = "/etc/palang/rules.d";

// `shipped` first; a rule of `own` replaces the shipped one of the same name whole, an [[override]] some of its keys.
[[nodiscard]] LoadedRules read_rules(std::span<const RuleText> shipped, std::span<const RuleText> own);

// All *.toml of both directories, in the order of their names; a directory may be missing.
[[nodiscard]] LoadedRules load_rules(const std::string& shipped_directory, const std::string& own_directory);

}  // namespace palang
