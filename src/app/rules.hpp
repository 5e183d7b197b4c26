#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace palang {

// `palang rules …`: what they have in common.
struct RulesOptions {
  std::optional<std::string> config_path;
  bool json = false;
};

// Every rule, whether it is in use, and what is wrong with those that are left out.
[[nodiscard]] Result<void> list_rules(const RulesOptions& options, const Console& console);
// One rule whole.
[[nodiscard]] Result<void> show_rule(const RulesOptions& options, const std::string& name, const Console& console);
// Runs the examples of these rules, or of all. Error: one of them fails.
[[nodiscard]] Result<void> test_rules(const RulesOptions& options, const std::vector<std::string>& names,
                                      const Console& console);

struct CoverageOptions {
  std::vector<std::string> files;
  uint64_t limit = 50;  // shapes; 0: all
};
// Which lines of these logs no rule understands, grouped by shape.
[[nodiscard]] Result<void> cover_logs(const RulesOptions& options, const CoverageOptions& coverage,
                                      const Console& console);

}  // namespace palang
