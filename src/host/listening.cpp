#include "host/listening.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace palang {
namespace {

constexpr uint16_t dhcp_client = 68;
constexpr uint16_t dhcp6_client = 546;

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

void ListeningCollector::add_tcp(const Socket& listening) {
  if (!listening.local.is_loopback()) listening_.services.tcp.add(listening.local_port);
}

void ListeningCollector::add_udp(const Socket& unconnected) {
  const uint16_t port = unconnected.local_port;
  if (port == 0 || unconnected.remote_port != 0 || unconnected.local.is_loopback()) return;
  if (port == dhcp_client || port == dhcp6_client) return;
  const bool of_the_kernel = unconnected.inode == 0;
  if (!of_the_kernel && ephemeral_.contains(port))
    listening_.ephemeral_udp.push_back({port, unconnected.inode});
  else
    listening_.services.udp.add(port);
}

PortRange parse_port_range(std::string_view text) {
  text = trim(text);
  const size_t blank = std::min(text.find_first_of(" \t"), text.size());
  const auto first = parse_port(text.substr(0, blank));
  const auto last = parse_port(trim(text.substr(blank)));
  if (!first || !last || *first > *last) return {};
  return {*first, *last};
}

Result<Listening> find_listening(const HostRoot& root) {
  const auto range = root.read("/proc/sys/net/ipv4/ip_local_port_range", 64);
  ListeningCollector collector(range ? parse_port_range(*range) : PortRange{});
  const auto tcp = visit_sockets(root, Protocol::tcp, SocketState::listening, [&](const Socket& socket) {
    collector.add_tcp(socket);
    return true;
  });
  if (!tcp) return Failure(tcp.error());
  const auto udp = visit_sockets(root, Protocol::udp, SocketState::closed, [&](const Socket& socket) {
    collector.add_udp(socket);
    return true;
  });
  if (!udp) return Failure(udp.error());
  return collector.listening();
}

}  // namespace palang
