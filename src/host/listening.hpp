#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "host/root.hpp"
#include "host/sockets.hpp"
#include "net/ports.hpp"

namespace palang {

// Both ends included.
struct PortRange {
  uint16_t first = 32768;
  uint16_t last = 60999;
  [[nodiscard]] bool contains(uint16_t port) const { return port >= first && port <= last; }
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// A UDP socket on a port that the kernel hands to clients: a service only if it stays.
struct EphemeralSocket {
  uint16_t port = 0;
  uint64_t inode = 0;
  friend auto operator<=>(const EphemeralSocket&, const EphemeralSocket&) = default;
};

// On which ports services wait for strangers.
struct Listening {
  PublicPorts services;
  std::vector<EphemeralSocket> ephemeral_udp;
};

// Rule for TCP: every listening socket that is not bound to loopback.
// Rule for UDP, where a client's socket looks like a service's: every unconnected socket not bound to loopback, except
//  - the DHCP client's (68, 546), which only its server answers;
//  - those on a port the kernel hands out to clients: they go to `ephemeral_udp`, and count as services once the same
//    socket has been there for a while (public_ports.hpp). Sockets of the kernel itself (WireGuard) count at once.
class ListeningCollector {
 public:
  explicit ListeningCollector(PortRange ephemeral) : ephemeral_(ephemeral) {}
  void add_tcp(const Socket& listening);
  void add_udp(const Socket& unconnected);
  [[nodiscard]] const Listening& listening() const { return listening_; }

 private:
  PortRange ephemeral_;
  Listening listening_;
};

// "32768\t60999", as in /proc/sys/net/ipv4/ip_local_port_range; Linux's default where it can't be read.
[[nodiscard]] PortRange parse_port_range(std::string_view text);

[[nodiscard]] Result<Listening> find_listening(const HostRoot& root);

}  // namespace palang
