#pragma once

#include <functional>

#include "cli/console.hpp"

namespace CLI {
class App;
}

namespace palang {

// What the command line asked for; returns the exit code. Empty until a command was parsed.
using Chosen = std::function<int()>;

// Registers the commands that talk to the daemon: status, list, why, ban, unban, allow, watch, reload, stop.
// Parsing the command line of one sets `chosen` to it. `console` and `chosen` must outlive the parsing and the call.
void add_client_commands(CLI::App& app, Console& console, Chosen& chosen);

// Parses the command line, whoever registered its commands, and runs what was chosen. Returns the exit code
// (cli/exit_code.hpp): usage for what can't be parsed, with one sentence on the console's `err`.
[[nodiscard]] int run_command_line(CLI::App& app, int argc, const char* const* argv, Console& console,
                                   const Chosen& chosen);

}  // namespace palang
