#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/client.hpp"
#include "cli/console.hpp"

namespace palang {

struct Fail2banOptions {
  std::string directory = "/etc/fail2ban";
  std::optional<std::string> config_path;  // none: the default path
  std::string socket{default_socket};
  bool json = false;
};

// `palang import fail2ban`: each jail, what it becomes, and what can't be carried over and why. Changes nothing.
[[nodiscard]] Result<void> report_fail2ban(const Fail2banOptions& options, const Console& console);

// `palang rules load-fail2ban`: has the configuration name the directory, and a running daemon take it on.
[[nodiscard]] Result<void> load_fail2ban(const Fail2banOptions& options, const Console& console);

// The text of a configuration with `[rules] fail2ban = "DIRECTORY"`; all else stays as it is.
[[nodiscard]] std::string with_fail2ban(const std::string& config, const std::string& directory);

}  // namespace palang
