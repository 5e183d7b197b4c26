#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "config/config.hpp"

namespace palang {

struct DaemonOptions {
  std::optional<std::string> config_path;  // none: the default path, which may be missing
  std::optional<std::string> socket;       // overrides [api] socket
  std::optional<std::string> ledger;       // overrides [ledger] path
  bool dry_run = false;                    // decide and log, touch nothing
  bool read_stdin = false;                 // instead of the configured sources; ends with it
};

// Runs the gate until a signal or `palang stop`. Error: it could not start, in one sentence.
[[nodiscard]] Result<void> run_daemon(const DaemonOptions& options);

// The configuration with what the command line overrides, without the rules.
[[nodiscard]] Result<Config> configuration_for(const DaemonOptions& options);

}  // namespace palang
