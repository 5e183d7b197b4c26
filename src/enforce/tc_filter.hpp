#pragma once

#include <cstdint>

#include "enforce/bpffs.hpp"

namespace palang {

// The gate as a classifier of traffic control, at the ingress of one interface (clsact). The kernel holds it with the
// interface: it needs no daemon, and the program is pinned only so that it is known whether the hook is ours.
class TcFilter {
 public:
  // Takes the place of an earlier one of ours, atomically.
  [[nodiscard]] static Result<TcFilter> attach(const Bpffs& pins, uint32_t interface, int program);
  // Takes away what an earlier daemon or this one attached, if any; the hook too if we made it and nobody else uses it.
  [[nodiscard]] static Result<void> detach(const Bpffs& pins, uint32_t interface);

  // Whether it is still in force; another may have deleted the hook.
  [[nodiscard]] bool is_alive() const;

 private:
  TcFilter(uint32_t interface, uint32_t program_id) : interface_(interface), program_id_(program_id) {}
  uint32_t interface_;
  uint32_t program_id_;
};

}  // namespace palang
