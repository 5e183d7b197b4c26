#pragma once

#include <cstdint>
#include <string_view>

#include "model/complaints.hpp"
#include "model/firewall_settings.hpp"

namespace palang {

// Adds an element of [[firewall.rule]] and the like, which the keys that follow fill.
void begin_firewall_part(std::string_view section, uint32_t line, FirewallSettings& settings);

// What no key of [firewall] can check alone.
void check_firewall(const FirewallSettings& settings, Complaints& complaints);

}  // namespace palang
