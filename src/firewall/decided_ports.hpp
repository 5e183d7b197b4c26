#pragma once

#include <cstdint>

#include "net/ports.hpp"

namespace palang::foreign {

// Ports of one protocol and family under rules of which the first that matches decides.
class DecidedPorts {
 public:
  void decide(uint32_t first, uint32_t last, bool open) {
    for (uint32_t port = first; port <= last && port <= 65'535; ++port) {
      if (known_.contains(static_cast<uint16_t>(port))) continue;
      known_.add(static_cast<uint16_t>(port));
      if (open) open_.add(static_cast<uint16_t>(port));
    }
  }
  [[nodiscard]] const PortSet& open() const { return open_; }

 private:
  PortSet known_;
  PortSet open_;
};

}  // namespace palang::foreign
