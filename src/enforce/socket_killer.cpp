#include "enforce/socket_killer.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <vector>

#include "base/log.hpp"
#include "enforce/message_writer.hpp"
#include "enforce/nft_parse.hpp"
#include "net/ports.hpp"
#include "net/prefix_map.hpp"

namespace palang {
namespace {

constexpr uint32_t bit(uint32_t state) {
  return 1U << state;
}
// TCP_SYN_SENT is our own doing; TCP_TIME_WAIT holds nothing of a service. TCP_SYN_RECV shows as 12 in some kernels.
constexpr uint32_t new_syn_recv = 12;
constexpr uint32_t states_of_interest = bit(TCP_LISTEN) | bit(TCP_ESTABLISHED) | bit(TCP_SYN_RECV) |
                                        bit(TCP_FIN_WAIT1) | bit(TCP_FIN_WAIT2) | bit(TCP_CLOSE_WAIT) |
                                        bit(TCP_LAST_ACK) | bit(TCP_CLOSING) | bit(new_syn_recv);

struct Connection {
  uint8_t family;
  inet_diag_sockid id;
};

Address peer_of(uint8_t family, const inet_diag_sockid& id) {
  if (family == AF_INET) return Address::v4(ntohl(id.idiag_dst[0]));
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), id.idiag_dst, bytes.size());
  return Address::from_bytes(bytes);
}

struct TcpSockets {
  PortSet listening;
  std::vector<Connection> connections;  // those of the peers in question
};

// Reads answers up to the end of a dump or to an acknowledgement.
template <typename Visit>
Result<void> read_answers(NetlinkSocket& socket, std::string_view what, Visit&& visit) {
  while (true) {
    const auto datagram = socket.receive();
    if (!datagram) return Failure(datagram.error());
    if (datagram->empty()) return fail_os(what, "", EPROTO);
    for (const MessageView message : MessagesIn(*datagram)) {
      if (message.header->nlmsg_type == NLMSG_DONE) return {};
      if (message.header->nlmsg_type == NLMSG_ERROR) {
        const int os_error = refusal_of(message);
        return os_error == 0 ? Result<void>{} : fail_os(what, "", os_error);
      }
      visit(message);
    }
  }
}

Result<void> list_sockets(NetlinkSocket& socket, uint8_t family, const PrefixSet& peers, TcpSockets& found) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = states_of_interest;
  MessageWriter writer;
  writer.begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, socket.take_sequence());
  writer.put_header(request);
  writer.end();
  socket.discard_waiting();
  if (auto sent = socket.send(writer.bytes()); !sent) return sent;
  return read_answers(socket, "list TCP sockets", [&](MessageView message) {
    if (message.payload().size() < sizeof(inet_diag_msg)) return;
    const auto& entry = *reinterpret_cast<const inet_diag_msg*>(message.payload().data());
    if (entry.idiag_state == TCP_LISTEN)
      found.listening.add(ntohs(entry.id.idiag_sport));
    else if (peers.contains(peer_of(entry.idiag_family, entry.id)))
      found.connections.push_back({entry.idiag_family, entry.id});
  });
}

Result<void> destroy(NetlinkSocket& socket, const Connection& connection) {
  inet_diag_req_v2 request{};
  request.sdiag_family = connection.family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = states_of_interest;
  request.id = connection.id;
  MessageWriter writer;
  writer.begin(SOCK_DESTROY, NLM_F_ACK, socket.take_sequence());
  writer.put_header(request);
  writer.end();
  if (auto sent = socket.send(writer.bytes()); !sent) return sent;
  return read_answers(socket, "destroy a TCP connection of " + peer_of(connection.family, connection.id).text(),
                      [](MessageView) {});
}

}  // namespace

Result<SocketKiller> SocketKiller::open() {
  auto socket = NetlinkSocket::open(NETLINK_SOCK_DIAG);
  if (!socket) return Failure(socket.error());
  return SocketKiller(std::move(*socket));
}

Result<size_t> SocketKiller::kill(std::span<const Prefix> peers, const std::function<bool(const Address&)>& is_exempt) {
  if (unsupported_ || peers.empty()) return 0;
  PrefixSet wanted(HashSeed::random());
  for (const Prefix& prefix : peers) wanted.insert(prefix);
  TcpSockets found;
  for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}})
    if (auto listed = list_sockets(socket_, family, wanted, found); !listed) return Failure(listed.error());

  size_t destroyed = 0;
  for (const Connection& connection : found.connections) {
    if (!found.listening.contains(ntohs(connection.id.idiag_sport))) continue;
    if (is_exempt(peer_of(connection.family, connection.id))) continue;
    const auto done = destroy(socket_, connection);
    if (done) {
      ++destroyed;
    } else if (done.error().os == EOPNOTSUPP) {
      unsupported_ = true;
      log_notice(
          "this kernel can't destroy connections: those of banned peers are cut, but stay open until they time out");
      return destroyed;
    } else if (done.error().os != ENOENT) {  // closed meanwhile
      return Failure(done.error());
    }
  }
  return destroyed;
}

}  // namespace palang
