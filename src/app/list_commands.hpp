#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/client.hpp"
#include "cli/console.hpp"
#include "config/config.hpp"

namespace palang {

struct ListsOptions {
  std::optional<std::string> config_path;
  std::string socket{default_socket};
  std::string ca_file;  // "": the system's
  bool fetch = false;
  bool now = false;  // fetch what is young, too
  bool json = false;
};

// `palang lists`: the lists of the policy, and how old the copies of those by URL are; with `fetch` those that are old
// enough are fetched, and a running daemon reads what is new. An error if a list could not be fetched or read.
[[nodiscard]] Result<void> show_lists(const ListsOptions& options, const Console& console);

// Who is in a list with the action allow or ignore is never judged: puts them into `policy.allow`. An error names the
// list that can't be read, with file and line.
[[nodiscard]] Result<void> exempt_lists(Config& config, const std::string& config_path);

// The names of hosts in these lists: their addresses come from name servers, and change.
[[nodiscard]] std::vector<std::string> exempt_names(const Config& config);

}  // namespace palang
