#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "firewall/policy.hpp"

namespace palang {

// What of the firewall the kernel holds, by name.
struct FirewallInKernel {
  std::vector<std::string> chains;
  std::vector<std::string> sets;

  [[nodiscard]] static FirewallInKernel parse(std::string_view listing);  // NftLibrary::list_firewall()
  [[nodiscard]] bool empty() const { return chains.empty() && sets.empty(); }
  // Of any of its chains; 0: none.
  [[nodiscard]] uint32_t newest_generation() const;
  [[nodiscard]] bool has_generation(uint32_t generation) const;
};

// Generation of "fw_in_3"; 0 for the base chains and fw_trial.
[[nodiscard]] uint32_t generation_of(std::string_view name);

// A policy on trial: the kernel itself leads packets to it only for so long, whatever becomes of us; then to the one
// before, or to none.
struct Trial {
  const CompiledPolicy& policy;
  uint32_t before;                             // generation in force; 0: none
  std::vector<std::string_view> hooks_before;  // that one's
  Duration lasts;
};

// Scripts of one transaction each.
[[nodiscard]] std::string script_of_trial(const Trial& trial, const FirewallInKernel& now);
// The policy and the base chains that lead to it, for a kernel that has none: what the boot file holds.
[[nodiscard]] std::string whole_policy(const CompiledPolicy& policy);
// Takes away all that is there and puts the whole policy in its place.
[[nodiscard]] std::string script_to_load(std::string_view whole_policy, const FirewallInKernel& now);
// A policy that the kernel holds already, for good.
[[nodiscard]] std::string script_to_settle(uint32_t generation, const FirewallInKernel& now);
[[nodiscard]] std::string script_to_remove(const FirewallInKernel& now);

}  // namespace palang
