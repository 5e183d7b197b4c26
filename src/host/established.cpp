#include "host/established.hpp"

#include "host/sockets.hpp"

namespace palang {

Result<PortSet> ports_in_use_by_strangers(const HostRoot& root, const PortSet& tcp_ports,
                                          const std::function<bool(const Address&)>& is_exempt) {
  PortSet in_use;
  size_t unanswered = tcp_ports.list().size();
  if (unanswered == 0) return in_use;
  const auto done = visit_sockets(root, Protocol::tcp, SocketState::established, [&](const Socket& socket) {
    const uint16_t port = socket.local_port;
    const bool asked = tcp_ports.contains(port) && !in_use.contains(port);
    if (asked && !socket.remote.is_loopback() && !is_exempt(socket.remote)) {
      in_use.add(port);
      --unanswered;
    }
    return unanswered > 0;
  });
  if (!done) return Failure(done.error());
  return in_use;
}

}  // namespace palang
