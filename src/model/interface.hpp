#pragma once

#include <cstdint>
#include <string>

namespace palang {

// A network interface of this host. Its index stays the same when it is renamed, and is new when it is made anew.
struct Interface {
  uint32_t index = 0;
  std::string name;
  bool is_ethernet = true;  // its packets begin with an Ethernet header
  bool is_up = false;
  bool merges_packets = false;  // hands up received packets merged to larger ones, which native XDP would end
  friend bool operator==(const Interface&, const Interface&) = default;
};

}  // namespace palang
