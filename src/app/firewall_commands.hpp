#pragma once

#include "cli/commands.hpp"

namespace palang {

// Registers `palang firewall …`. None of them needs the daemon.
void add_firewall_commands(CLI::App& app, Console& console, Chosen& chosen);

}  // namespace palang
