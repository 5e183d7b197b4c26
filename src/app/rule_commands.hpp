#pragma once

#include "cli/commands.hpp"

namespace palang {

// Registers the commands about rules: explain, rules, import. They read the configuration themselves, and work without
// a daemon.
void add_rule_commands(CLI::App& app, Console& console, Chosen& chosen);

}  // namespace palang
