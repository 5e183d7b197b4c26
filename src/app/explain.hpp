#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/client.hpp"
#include "cli/console.hpp"

namespace palang {

struct ExplainOptions {
  std::optional<std::string> line;  // none: those of standard input
  std::optional<std::string> config_path;
  std::string file;  // the log file it comes from, which says which rules are for it; "" where a header does
  std::string unit;  // or the systemd unit
  std::string socket{default_socket};
  bool json = false;
};

// `palang explain`: which parser takes the line, which rules it is offered to, which find something, and how far the
// source is from the threshold, which the running daemon is asked. Changes nothing.
[[nodiscard]] Result<void> run_explain(const ExplainOptions& options, const Console& console);

}  // namespace palang
