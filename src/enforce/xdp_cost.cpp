#include "enforce/xdp_cost.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <fstream>
#include <string>

namespace palang {
namespace {

// The kernel tells the size of a map by its descriptor alone.
uint64_t bytes_of(int map) {
  std::ifstream facts(fmt::format("/proc/self/fdinfo/{}", map));
  std::string word;
  uint64_t bytes = 0;
  while (facts >> word)
    if (word == "memlock:") facts >> bytes;
  return bytes;
}

}  // namespace

XdpCost cost_of(const XdpEnforcer& enforcer) {
  XdpCost cost;
  // The bits before the tables are among the maps of the program.
  cost.kernel_bytes = enforcer.table().bytes() - uint64_t{2} * PALANG_GATE4_BYTES - PALANG_GATE6_BYTES;
  for (const int map : enforcer.program().maps()) cost.kernel_bytes += bytes_of(map);
  for (const int program : {enforcer.program().xdp(), enforcer.program().tc()}) {
    bpf_prog_info info{};
    uint32_t size = sizeof info;
    if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size) != 0) continue;
    cost.runs += info.run_cnt;
    cost.run_ns += info.run_time_ns;
  }
  return cost;
}

}  // namespace palang
