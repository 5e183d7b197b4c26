#pragma once

#include <cstdint>

#include "enforce/xdp_enforcer.hpp"

namespace palang {

// What XDP costs this host.
struct XdpCost {
  uint64_t kernel_bytes = 0;  // of all maps
  uint64_t runs = 0;          // of the program; the kernel counts them while kernel.bpf_stats_enabled is 1
  uint64_t run_ns = 0;        // their time
};
[[nodiscard]] XdpCost cost_of(const XdpEnforcer& enforcer);

}  // namespace palang
