#include "host/forwarding.hpp"

namespace palang {

bool forwards_packets(const HostRoot& root) {
  for (const char* const path : {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
    const auto text = root.read(path, 16);
    if (text && !text->empty() && (*text)[0] != '0') return true;
  }
  return false;
}

}  // namespace palang
