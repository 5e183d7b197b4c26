#pragma once

#include <cstdint>
#include <optional>

#include "enforce/bpffs.hpp"

namespace palang {

enum class XdpMode : uint8_t {
  native,   // by the driver, before there is a packet buffer
  generic,  // by the kernel, on the packet buffer
};

// The XDP program of one interface, held by a BPF link that is pinned by the interface's index. It stays when the
// daemon ends, however that comes about, and ends with the interface.
class XdpLink {
 public:
  // Refused (EBUSY, EEXIST) when the interface has another XDP program.
  [[nodiscard]] static Result<XdpLink> attach(const Bpffs& pins, uint32_t interface, int program, XdpMode mode);
  // The link of an earlier daemon. One whose interface is gone is unpinned; none is found then.
  [[nodiscard]] static Result<std::optional<XdpLink>> find(const Bpffs& pins, uint32_t interface);

  // Atomic: each packet meets the one program or the other.
  [[nodiscard]] Result<void> replace(int program);
  [[nodiscard]] Result<void> detach(const Bpffs& pins);
  // Whether the interface still exists.
  [[nodiscard]] bool is_alive() const;
  [[nodiscard]] XdpMode mode() const { return mode_; }

 private:
  XdpLink(Fd link, uint32_t interface, XdpMode mode) : link_(std::move(link)), interface_(interface), mode_(mode) {}

  Fd link_;
  uint32_t interface_;
  XdpMode mode_;
};

// Whether an interface has an XDP program at all, ours or another's.
[[nodiscard]] bool has_xdp_program(uint32_t interface);

}  // namespace palang
