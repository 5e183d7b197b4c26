#pragma once

#include <string>
#include <string_view>

#include "rules/rule_file.hpp"

namespace palang::shipped {

// All rules of the repository's directory; read once.
inline const LoadedRules& rules() {
  static const LoadedRules loaded = load_rules(PALANG_RULES_DIRECTORY, "");
  return loaded;
}

// "…/rules/openssh.toml" → "openssh.toml"
inline std::string_view file_of(const RuleDefinition& definition) {
  const std::string_view source = definition.source;
  return source.substr(source.rfind('/') + 1);
}

inline const RuleDefinition* find(std::string_view name) {
  for (const RuleDefinition& definition : rules().rules)
    if (definition.settings.name == name) return &definition;
  return nullptr;
}

}  // namespace palang::shipped
