#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace palang {

struct ReplayOptions {
  std::vector<std::string> files;  // plain, gzip or xz; "-" is standard input
  std::optional<std::string> config_path;
  bool json = false;
};

// `palang replay`: what each policy would have made of these logs. Needs no rights and changes nothing.
[[nodiscard]] Result<void> run_replay(const ReplayOptions& options, const Console& console);

}  // namespace palang
