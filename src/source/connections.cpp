#include "source/connections.hpp"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace palang {
namespace {

constexpr size_t most_counted = 1'000'000;  // addresses in one count

using Payload = std::span<const uint8_t>;

// Calls `use` for each attribute; stops at a broken one.
template <typename Use>
void for_each_part(Payload bytes, Use&& use) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return;
    use(static_cast<uint16_t>(head.nla_type & NLA_TYPE_MASK), bytes.subspan(sizeof head, head.nla_len - sizeof head));
    bytes = bytes.subspan(std::min<size_t>(bytes.size(), (head.nla_len + 3U) & ~3U));
  }
}

std::optional<Address> read_ct_address(Payload bytes) {
  if (bytes.size() == 4)
    return Address::v4(uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3]);
  if (bytes.size() != 16) return std::nullopt;
  std::array<uint8_t, 16> raw{};
  std::memcpy(raw.data(), bytes.data(), raw.size());
  return Address::from_bytes(raw);
}

struct Tuple {
  std::optional<Address> source;
  std::optional<Address> destination;
  uint16_t port = 0;
  uint8_t protocol = 0;
};

Tuple read_tuple(Payload bytes) {
  Tuple tuple;
  for_each_part(bytes, [&](uint16_t part, Payload content) {
    if (part == CTA_TUPLE_IP)
      for_each_part(content, [&](uint16_t type, Payload value) {
        if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC) tuple.source = read_ct_address(value);
        if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST) tuple.destination = read_ct_address(value);
      });
    if (part == CTA_TUPLE_PROTO)
      for_each_part(content, [&](uint16_t type, Payload value) {
        if (type == CTA_PROTO_NUM && !value.empty()) tuple.protocol = value[0];
        if (type == CTA_PROTO_DST_PORT && value.size() >= 2)
          tuple.port = static_cast<uint16_t>(value[0] << 8 | value[1]);
      });
  });
  return tuple;
}

uint8_t read_tcp_state(Payload bytes) {
  uint8_t state = 0;
  for_each_part(bytes, [&](uint16_t part, Payload content) {
    if (part != CTA_PROTOINFO_TCP) return;
    for_each_part(content, [&](uint16_t type, Payload value) {
      if (type == CTA_PROTOINFO_TCP_STATE && !value.empty()) state = value[0];
    });
  });
  return state;
}

// Both sides have shown that they are there.
bool was_established(uint8_t tcp_state) {
  return tcp_state >= TCP_CONNTRACK_ESTABLISHED && tcp_state <= TCP_CONNTRACK_TIME_WAIT;
}

struct CloseMnl {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

int take_connection(const nlmsghdr* message, void* given) {
  const auto* const bytes = static_cast<const uint8_t*>(mnl_nlmsg_get_payload(message));
  if (const auto connection = read_connection({bytes, mnl_nlmsg_get_payload_len(message)}))
    static_cast<ConnectionTally*>(given)->add(*connection);
  return MNL_CB_OK;
}

}  // namespace

std::optional<TrackedConnection> read_connection(std::span<const uint8_t> payload) {
  if (payload.size() < sizeof(nfgenmsg)) return std::nullopt;
  TrackedConnection connection;
  Tuple tuple;
  for_each_part(payload.subspan(sizeof(nfgenmsg)), [&](uint16_t part, Payload content) {
    if (part == CTA_TUPLE_ORIG) tuple = read_tuple(content);
    if (part == CTA_PROTOINFO) connection.tcp_state = read_tcp_state(content);
  });
  if (!tuple.source || !tuple.destination) return std::nullopt;
  connection.source = *tuple.source;
  connection.destination = *tuple.destination;
  connection.port = tuple.port;
  connection.protocol = tuple.protocol == IPPROTO_TCP   ? Protocol::tcp
                        : tuple.protocol == IPPROTO_UDP ? Protocol::udp
                                                        : Protocol::other;
  return connection;
}

void ConnectionTally::add(const TrackedConnection& connection) {
  ++connections_;
  const bool tcp = connection.protocol == Protocol::tcp;
  if (!tcp && connection.protocol != Protocol::udp) return;
  if (settings_.skip_time_wait && tcp && connection.tcp_state == TCP_CONNTRACK_TIME_WAIT) return;
  if (settings_.ports != PortSet{} && !settings_.ports.contains(connection.port)) return;
  if (!connection.source.is_unicast() || connection.source.is_loopback()) return;
  if (table_.size() >= most_counted && table_.get(connection.source) == nullptr) {
    ++not_counted_;
    return;
  }
  ConnectionCount& count = table_.value(table_.find_or_insert(connection.source).first);
  ++count.all;
  count.port = connection.port;
  if (tcp && was_established(connection.tcp_state)) ++count.proven;
}

void ConnectionTally::tell(WallTime now, std::vector<Event>& events) const {
  table_.for_each([&](const Address& source, const ConnectionCount& count) {
    if (count.all <= settings_.limit) return;
    Event event;
    event.at = now;
    event.source = source;
    event.port = count.port;
    event.protocol = Protocol::tcp;
    event.proof = count.proven > settings_.limit ? Proof::handshake : Proof::forgeable;
    event.rule = connections_rule();
    event.attempts = count.all;
    events.push_back(event);
  });
}

Result<std::unique_ptr<ConnectionSource>> ConnectionSource::open(const ConnectionSettings& settings, HashSeed seed,
                                                                 const Clock& clock) {
  std::unique_ptr<ConnectionSource> made(new ConnectionSource(settings, seed, clock));
  made->timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!made->timer_) return fail_os("open", "a timer", errno);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(settings.interval).count();
  const itimerspec every{{seconds, 0}, {seconds, 0}};
  if (::timerfd_settime(made->timer_.get(), 0, &every, nullptr) != 0) return fail_os("set", "a timer", errno);
  return made;
}

Result<void> ConnectionSource::count(ConnectionTally& tally) const {
  const std::unique_ptr<mnl_socket, CloseMnl> socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return fail_os("open", "a netlink socket for conntrack", errno);
  std::array<char, 256> request{};
  nlmsghdr* const head = mnl_nlmsg_put_header(request.data());
  head->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
  head->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  head->nlmsg_seq = 1;
  auto* const family = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(head, sizeof(nfgenmsg)));
  family->nfgen_family = AF_UNSPEC;
  family->version = NFNETLINK_V0;
  if (mnl_socket_sendto(socket.get(), head, head->nlmsg_len) < 0) return fail_os("ask", "conntrack", errno);
  std::vector<char> buffer(size_t{64} << 10);
  for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
    const ssize_t got = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (got < 0) return fail_os("read", "conntrack", errno);
    more = mnl_cb_run(buffer.data(), static_cast<size_t>(got), 1, mnl_socket_get_portid(socket.get()), &take_connection,
                      &tally);
    if (more < 0) return fail_os("read", "conntrack", errno);
  }
  return {};
}

Result<void> ConnectionSource::read(Batch& batch) {
  batch.clear();
  uint64_t rounds = 0;
  if (::read(timer_.get(), &rounds, sizeof rounds) != sizeof rounds) return {};
  ConnectionTally tally(settings_, seed_);
  const auto done = count(tally);
  if (!done) return done;
  tally.tell(clock_.now(), batch.events);
  counters_.lines += tally.connections();
  counters_.lost_lines += tally.not_counted();
  return {};
}

}  // namespace palang
