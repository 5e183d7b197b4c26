#include "net/ports.hpp"

namespace palang {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp: return "tcp";
    case Protocol::udp: return "udp";
    case Protocol::icmp: return "icmp";
    case Protocol::icmp6: return "icmp6";
    case Protocol::other: break;
  }
  return "other";
}

std::vector<uint16_t> PortSet::list() const {
  std::vector<uint16_t> ports;
  for (uint32_t port = 0; port < 65536; ++port)
    if (bits_.test(port)) ports.push_back(static_cast<uint16_t>(port));
  return ports;
}

}  // namespace palang
