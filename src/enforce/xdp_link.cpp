#include "enforce/xdp_link.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <cerrno>

namespace palang {
namespace {

std::string pin_name(uint32_t interface) {
  return fmt::format("link_{}", interface);
}

// 0: the interface of this link is gone.
uint32_t interface_of(int link) {
  bpf_link_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(link, &info, &size) != 0 || info.type != BPF_LINK_TYPE_XDP) return 0;
  return info.xdp.ifindex;
}

XdpMode mode_on(uint32_t interface) {
  bpf_xdp_query_opts found{};
  found.sz = sizeof found;
  if (bpf_xdp_query(static_cast<int>(interface), 0, &found) != 0) return XdpMode::generic;
  return found.attach_mode == XDP_ATTACHED_SKB ? XdpMode::generic : XdpMode::native;
}

}  // namespace

Result<XdpLink> XdpLink::attach(const Bpffs& pins, uint32_t interface, int program, XdpMode mode) {
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  Fd link(bpf_link_create(program, static_cast<int>(interface), BPF_XDP, &options));
  if (!link) return fail_os("attach", mode == XdpMode::native ? "native XDP" : "generic XDP", errno);
  if (const auto pinned = pins.pin(link.get(), pin_name(interface)); !pinned) return Failure(pinned.error());
  return XdpLink(std::move(link), interface, mode);
}

Result<std::optional<XdpLink>> XdpLink::find(const Bpffs& pins, uint32_t interface) {
  auto link = pins.get(pin_name(interface));
  if (!link) return Failure(link.error());
  if (!*link) return std::nullopt;
  if (interface_of((*link)->get()) != interface) {
    if (const auto removed = pins.remove(pin_name(interface)); !removed) return Failure(removed.error());
    return std::nullopt;
  }
  return XdpLink(*std::move(*link), interface, mode_on(interface));
}

Result<void> XdpLink::replace(int program) {
  if (bpf_link_update(link_.get(), program, nullptr) != 0) return fail_os("replace", "the XDP program", errno);
  return {};
}

Result<void> XdpLink::detach(const Bpffs& pins) {
  if (const auto removed = pins.remove(pin_name(interface_)); !removed) return removed;
  // Another process may hold the link open.
  if (bpf_link_detach(link_.get()) != 0 && is_alive()) return fail_os("detach", "the XDP program", errno);
  link_.reset();
  return {};
}

bool XdpLink::is_alive() const {
  return interface_of(link_.get()) == interface_;
}

bool has_xdp_program(uint32_t interface) {
  uint32_t program = 0;
  return bpf_xdp_query_id(static_cast<int>(interface), 0, &program) == 0 && program != 0;
}

}  // namespace palang
