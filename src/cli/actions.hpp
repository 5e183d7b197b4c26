#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "cli/client.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

namespace palang {

// What each client command does once its command line is understood. All print to the console; with `json` the
// daemon's JSON as it came. Values are texts as given: the daemon checks them again. Errors are the daemon's, with its
// kind, or a fault where it can't be reached.
struct Session {
  ApiClient client;
  Console& console;
  bool json = false;
  WallTime now;
};

struct ListOptions {
  std::string within;
  std::string rule;
  std::string scope;
  std::string origin;
  std::string order;
  std::optional<uint64_t> limit;  // none: 50 for people, all for programs
  bool allowed = false;           // who is never banned, instead of the bans
};

struct BanOptions {
  std::string prefix;
  std::string length;
  std::string scope;
  std::string reason;
};

struct UnbanOptions {
  std::string prefix;
  bool all = false;
  bool yes = false;  // don't ask
};

struct AllowOptions {
  std::string prefix;
  std::string length;
  std::string note;
  bool remove = false;
};

[[nodiscard]] Result<ExitCode> show_status(const Session& session);
[[nodiscard]] Result<ExitCode> list(const Session& session, const ListOptions& options);
[[nodiscard]] Result<ExitCode> explain(const Session& session, const std::string& address);
[[nodiscard]] Result<ExitCode> ban(const Session& session, const BanOptions& options);
// Lifting everything needs a yes, given or asked for on a terminal.
[[nodiscard]] Result<ExitCode> unban(const Session& session, const UnbanOptions& options);
[[nodiscard]] Result<ExitCode> allow(const Session& session, const AllowOptions& options);
// Prints changes until the daemon hangs up or the process is ended.
[[nodiscard]] Result<ExitCode> watch(const Session& session);
[[nodiscard]] Result<ExitCode> reload(const Session& session);
[[nodiscard]] Result<ExitCode> stop(const Session& session, bool lift);

}  // namespace palang
