#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "host/netlink.hpp"
#include "host/root.hpp"
#include "net/address.hpp"
#include "net/ports.hpp"

namespace palang {

// The states of include/net/tcp_states.h that matter here. A UDP socket is `closed` unless it is connected.
enum class SocketState : uint8_t { other = 0, established = 1, closed = 7, listening = 10 };

// A TCP or UDP socket of this network namespace.
struct Socket {
  Address local;
  Address remote;
  uint16_t local_port = 0;
  uint16_t remote_port = 0;
  SocketState state = SocketState::other;
  uint64_t inode = 0;  // as in /proc/PID/fd; 0: the kernel's own (WireGuard, VXLAN), or no process holds it
};

using UseSocket = std::function<bool(const Socket&)>;  // false: no more

// Visits the sockets in `state`, of both families. On this host through sock_diag(7), or through /proc/net where the
// kernel has no module for it; elsewhere through the /proc/net of `root`.
[[nodiscard]] Result<void> visit_sockets(const HostRoot& root, Protocol protocol, SocketState state,
                                         const UseSocket& use);

// The payload of one answer of sock_diag: struct inet_diag_msg (linux/inet_diag.h).
[[nodiscard]] std::optional<Socket> parse_diag(Bytes payload);

// One line of /proc/net/{tcp,tcp6,udp,udp6}; nullopt for the heading.
[[nodiscard]] std::optional<Socket> parse_proc_net(std::string_view line);

}  // namespace palang
