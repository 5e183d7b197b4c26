#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <numeric>
#include <string_view>

#include "enforce/xdp_enforcer.hpp"

namespace palang {
namespace {

struct Named {
  palang_verdict verdict;
  std::string_view name;
};

constexpr std::array counter_names = {
    Named{PALANG_NOT_IP, "passed, not IP"},
    Named{PALANG_SHORT_ETHERNET, "passed, ends within its Ethernet header"},
    Named{PALANG_SHORT_VLAN, "passed, ends within a VLAN tag"},
    Named{PALANG_DEEP_VLAN, "passed, more than two VLAN tags"},
    Named{PALANG_SHORT_IP4, "passed, ends within its IPv4 header"},
    Named{PALANG_BAD_IP4, "passed, no IPv4 header"},
    Named{PALANG_SHORT_IP4_OPTIONS, "passed, ends within its IPv4 options"},
    Named{PALANG_SHORT_IP6, "passed, ends within its IPv6 header"},
    Named{PALANG_BAD_IP6, "passed, no IPv6 header"},
    Named{PALANG_PASS, "passed, not banned"},
    Named{PALANG_PASS_UNSETTLED, "passed, nothing is set yet"},
    Named{PALANG_PASS_ALLOWED, "passed, banned but allowed"},
    Named{PALANG_PASS_OPEN_PORT, "passed, quiet ban, open port"},
    Named{PALANG_PASS_REPLY, "passed, banned, reply to us"},
    Named{PALANG_PASS_FRAGMENT, "passed, quiet ban, later fragment"},
    Named{PALANG_PASS_FORWARDED, "passed, quiet ban, forwarded"},
    Named{PALANG_PASS_NEIGHBOUR, "passed, banned, neighbour discovery"},
    Named{PALANG_PASS_SHORT_TRANSPORT, "passed, quiet ban, ends within its transport header"},
    Named{PALANG_PASS_SHORT_EXTENSION, "passed, quiet ban, ends within an extension header"},
    Named{PALANG_PASS_DEEP_EXTENSION, "passed, quiet ban, more than eight extension headers"},
    Named{PALANG_DROP_FULL, "dropped, full ban"},
    Named{PALANG_DROP_QUIET, "dropped, quiet ban"},
    Named{PALANG_DROP_FLOOD, "dropped, nobody listens there, in a flood"},
    Named{PALANG_DROP_DECOY, "dropped, at a decoy"},
    Named{PALANG_ANSWER_DECOY, "answered, at a decoy"},
    Named{PALANG_SAW_EXPIRED, "ban seen after its end"},
    Named{PALANG_SAW_KNOCK, "end moved by a knock"},
    Named{PALANG_SAW_TRIP, "packet to a port nobody listens on"},
    Named{PALANG_SAW_TRIP_EVICTION, "tracked source evicted"},
    Named{PALANG_SAW_TRIP_BAN, "banned by the tripwire"},
    Named{PALANG_SAW_TRIP_SPARED, "not banned, budget of the tripwire spent"},
    Named{PALANG_SAW_TRIP_FULL, "not banned, no room for bans of the tripwire"},
    Named{PALANG_SAW_PROOF, "handshake with a decoy completed"},
    Named{PALANG_SAW_LOST_EVENT, "event lost, the daemon didn't keep up"},
};
static_assert(counter_names.size() == PALANG_VERDICTS);
static_assert([] {
  for (size_t i = 0; i < counter_names.size(); ++i)
    if (counter_names[i].verdict != i) return false;
  return true;
}());

}  // namespace

std::string_view xdp_counter_name(size_t verdict) {
  return verdict < counter_names.size() ? counter_names[verdict].name : "";
}

Result<std::vector<uint64_t>> XdpEnforcer::counters() const {
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return fail_os("count", "processors", -processors);
  std::vector<uint64_t> each(static_cast<size_t>(processors));
  std::vector<uint64_t> sums;
  for (uint32_t verdict = 0; verdict < PALANG_VERDICTS; ++verdict) {
    if (bpf_map_lookup_elem(program_.map("verdicts"), &verdict, each.data()) != 0)
      return fail_os("read", "the counters of the program for XDP", errno);
    sums.push_back(std::accumulate(each.begin(), each.end(), uint64_t{0}));
  }
  return sums;
}

}  // namespace palang
