#include "enforce/tc_filter.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "enforce/netlink_socket.hpp"

namespace palang {
namespace {

constexpr std::string_view own_hook = "tcown_";      // we made the hook
constexpr std::string_view others_hook = "tcuser_";  // it was there
constexpr uint32_t our_handle = 0x70616c61;          // "pala"
constexpr uint32_t our_priority = 1;                 // the lowest comes first

bpf_tc_hook ingress_of(uint32_t interface) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(interface);
  hook.attach_point = BPF_TC_INGRESS;
  return hook;
}

bpf_tc_opts our_place() {
  bpf_tc_opts place{};
  place.sz = sizeof place;
  place.handle = our_handle;
  place.priority = our_priority;
  return place;
}

uint32_t program_on(uint32_t interface) {
  const bpf_tc_hook hook = ingress_of(interface);
  bpf_tc_opts place = our_place();
  return bpf_tc_query(&hook, &place) == 0 ? place.prog_id : 0;
}

uint32_t id_of(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.id : 0;
}

std::string pin_name(std::string_view kind, uint32_t interface) {
  return fmt::format("{}{}", kind, interface);
}

// RTM_GETTFILTER of one direction: is there any filter?
Result<bool> has_filters(NetlinkSocket& socket, uint32_t interface, uint32_t direction) {
  std::array<uint8_t, NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(tcmsg))> request{};
  nlmsghdr* const header = mnl_nlmsg_put_header(request.data());
  header->nlmsg_type = RTM_GETTFILTER;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = socket.take_sequence();
  auto* const question = static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(tcmsg)));
  question->tcm_ifindex = static_cast<int>(interface);
  question->tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction);
  if (const auto sent = socket.send(request); !sent) return Failure(sent.error());
  bool found = false;
  while (true) {
    const auto answer = socket.receive();
    if (!answer) return Failure(answer.error());
    if (answer->empty()) return found;
    int left = static_cast<int>(answer->size());
    for (auto* one = reinterpret_cast<const nlmsghdr*>(answer->data()); mnl_nlmsg_ok(one, left);
         one = mnl_nlmsg_next(one, &left))
      found = found || one->nlmsg_type == RTM_NEWTFILTER;
  }
}

// The hook goes with all its filters, so it stays where others have some, outgoing ones too.
bool is_empty(uint32_t interface) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return false;
  for (const uint32_t direction : {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS})
    if (const auto some = has_filters(*socket, interface, direction); !some || *some) return false;
  return true;
}

}  // namespace

Result<TcFilter> TcFilter::attach(const Bpffs& pins, uint32_t interface, int program) {
  bpf_tc_hook hook = ingress_of(interface);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return fail_os("make the hook for", "a TC classifier", -made);
  bpf_tc_opts place = our_place();
  place.prog_fd = program;
  place.flags = BPF_TC_F_REPLACE;
  if (const int done = bpf_tc_attach(&hook, &place); done != 0) return fail_os("attach", "a TC classifier", -done);
  const auto earlier = pins.get(pin_name(own_hook, interface));
  const bool is_ours = made == 0 || (earlier && *earlier);
  if (const auto pinned = pins.pin(program, pin_name(is_ours ? own_hook : others_hook, interface)); !pinned)
    return Failure(pinned.error());
  return TcFilter(interface, id_of(program));
}

Result<void> TcFilter::detach(const Bpffs& pins, uint32_t interface) {
  const auto own = pins.get(pin_name(own_hook, interface));
  if (!own) return Failure(own.error());
  const auto used = pins.get(pin_name(others_hook, interface));
  if (!used) return Failure(used.error());
  if (!*own && !*used) return {};
  bpf_tc_hook hook = ingress_of(interface);
  const bpf_tc_opts place = our_place();
  const int done = bpf_tc_detach(&hook, &place);
  const bool gone = done == -ENOENT || done == -EINVAL || done == -ENODEV;  // the filter, its hook, its interface
  if (done != 0 && !gone) return fail_os("detach", "the TC classifier", -done);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  if (*own && done == 0 && is_empty(interface)) (void)bpf_tc_hook_destroy(&hook);  // an empty hook does no harm
  for (const std::string_view kind : {own_hook, others_hook})
    if (const auto removed = pins.remove(pin_name(kind, interface)); !removed) return removed;
  return {};
}

bool TcFilter::is_alive() const {
  return program_id_ != 0 && program_on(interface_) == program_id_;
}

}  // namespace palang
