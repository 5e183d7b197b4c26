#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/surroundings.hpp"
#include "model/firewall_settings.hpp"
#include "net/ports.hpp"

namespace palang {

// A place in the kernel's way of a packet at which a policy may want a word. The base chain there belongs to no
// generation; it only leads to the chain of the policy in force.
struct FirewallHook {
  std::string_view chain;  // "fw_input"
  std::string_view place;  // "type filter hook input priority filter"
  std::string_view part;   // the policy's own chain is fw_PART_GENERATION
};
[[nodiscard]] std::span<const FirewallHook> firewall_hooks();

// A policy as nft reads it.
struct CompiledPolicy {
  uint32_t generation = 0;
  std::string text;                     // sets, chains, elements
  std::vector<std::string_view> hooks;  // FirewallHook::chain of those it uses
  PublicPorts open;                     // to everyone
  std::vector<std::string> notes;       // sentences: what names nobody, and so does nothing
};

[[nodiscard]] CompiledPolicy compile_policy(const FirewallSettings& settings, const Surroundings& surroundings,
                                            uint32_t generation);

// Only loopback, what IPv6 must have, and ssh from those who are allowed: nothing else comes in, replies included.
[[nodiscard]] CompiledPolicy compile_panic(std::span<const Prefix> allowed, const PortSpans& ssh, uint32_t generation);

}  // namespace palang
