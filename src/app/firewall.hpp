#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace palang {

struct FirewallOptions {
  std::optional<std::string> config_path;
  std::optional<std::string> ledger;   // whose directory is the firewall's, too; as that of the daemon
  std::vector<std::string> overruled;  // names of what would be shut out, and is meant to be
  bool end = false;                    // of a panic
  bool json = false;
};

[[nodiscard]] Result<void> firewall_plan(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_apply(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_confirm(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_off(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_panic(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_status(const FirewallOptions& options, const Console& console);
[[nodiscard]] Result<void> firewall_load(const std::string& directory, const Console& console);

}  // namespace palang
