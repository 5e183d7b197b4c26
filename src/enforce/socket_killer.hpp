#pragma once

#include <functional>
#include <memory>
#include <span>

#include "enforce/netlink_socket.hpp"
#include "net/prefix.hpp"

namespace palang {

// Destroys TCP connections that banned peers hold open, so that a service doesn't keep waiting for a peer that is no
// longer heard (SOCK_DESTROY of NETLINK_SOCK_DIAG; CONFIG_INET_DIAG_DESTROY). Needs CAP_NET_ADMIN.
class SocketKiller {
 public:
  [[nodiscard]] static Result<SocketKiller> open();

  // Only connections that the peer opened to us (on a local port that something listens on), and whose peer lies in one
  // of `peers` and is not exempt. Lists all TCP sockets of the host once, however many prefixes there are.
  // How many were destroyed; 0 on a kernel that can't, which is logged once.
  [[nodiscard]] Result<size_t> kill(std::span<const Prefix> peers,
                                    const std::function<bool(const Address&)>& is_exempt);

 private:
  explicit SocketKiller(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
  bool unsupported_ = false;
};

}  // namespace palang
