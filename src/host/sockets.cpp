#include "host/sockets.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace palang {
namespace {

// 150 bytes a line: some 400,000 sockets.
constexpr size_t largest_table = size_t{64} << 20;

SocketState state_of(unsigned number) {
  switch (static_cast<SocketState>(number)) {
    case SocketState::established:
    case SocketState::closed:
    case SocketState::listening: return static_cast<SocketState>(number);
    case SocketState::other: break;
  }
  return SocketState::other;
}

// Words as they lie in memory: network order.
Address address_of(const uint32_t* words, bool v4) {
  if (v4) return Address::v4(ntohl(words[0]));
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), words, bytes.size());
  return Address::from_bytes(bytes);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number number{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Endpoint {
  Address address;
  uint16_t port = 0;
};

// "0100007F:0016" (IPv6: 32 digits): words in the byte order of the machine, the port in plain hex.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  const auto port = parse_number<uint16_t>(text.substr(colon + 1), 16);
  if (!port) return std::nullopt;
  std::array<uint32_t, 4> words{};
  for (size_t i = 0; i * 8 < colon; ++i) {
    const auto word = parse_number<uint32_t>(text.substr(i * 8, 8), 16);
    if (!word) return std::nullopt;
    words[i] = *word;
  }
  return Endpoint{address_of(words.data(), colon == 8), *port};
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

// Both ways of visiting say whether to go on with the other family.

Result<bool> visit_by_diag(bool v6, Protocol protocol, SocketState state, const UseSocket& use) {
  inet_diag_req_v2 request{};
  request.sdiag_family = v6 ? AF_INET6 : AF_INET;
  request.sdiag_protocol = protocol == Protocol::tcp ? IPPROTO_TCP : IPPROTO_UDP;
  request.idiag_states = 1U << static_cast<unsigned>(state);
  bool go_on = true;
  const Bytes bytes = std::as_bytes(std::span(&request, 1));
  const auto done = netlink_dump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, bytes, [&](Bytes payload) {
    const auto socket = parse_diag(payload);
    go_on = !socket || socket->state != state || use(*socket);
    return go_on;
  });
  if (!done) return Failure(done.error());
  return go_on;
}

Result<bool> visit_by_proc(const HostRoot& root, bool v6, Protocol protocol, SocketState state, const UseSocket& use) {
  const auto text = root.read(fmt::format("/proc/net/{}{}", protocol_name(protocol), v6 ? "6" : ""), largest_table);
  if (!text) return Failure(text.error());
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto socket = parse_proc_net(line);
    if (socket && socket->state == state && !use(*socket)) return false;
  }
  return true;
}

// The kernel has no such thing: no IPv6, or no module that answers sock_diag.
bool is_missing(const Error& error) {
  return error.os == ENOENT || error.os == EAFNOSUPPORT;
}

}  // namespace

std::optional<Socket> parse_diag(Bytes payload) {
  const auto message = read_struct<inet_diag_msg>(payload);
  if (!message || (message->idiag_family != AF_INET && message->idiag_family != AF_INET6)) return std::nullopt;
  const bool v4 = message->idiag_family == AF_INET;
  return Socket{address_of(message->id.idiag_src, v4), address_of(message->id.idiag_dst, v4),
                ntohs(message->id.idiag_sport),        ntohs(message->id.idiag_dport),
                state_of(message->idiag_state),        message->idiag_inode};
}

std::optional<Socket> parse_proc_net(std::string_view line) {
  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
  std::array<std::string_view, 10> words;
  for (std::string_view& word : words) word = next_word(line);
  const auto local = parse_endpoint(words[1]);
  const auto remote = parse_endpoint(words[2]);
  const auto state = parse_number<unsigned>(words[3], 16);
  const auto inode = parse_number<uint64_t>(words[9], 10);
  if (!local || !remote || !state || !inode) return std::nullopt;
  return Socket{local->address, remote->address, local->port, remote->port, state_of(*state), *inode};
}

Result<void> visit_sockets(const HostRoot& root, Protocol protocol, SocketState state, const UseSocket& use) {
  for (const bool v6 : {false, true}) {
    Result<bool> go_on = true;
    if (root.is_this_host()) go_on = visit_by_diag(v6, protocol, state, use);
    if (!root.is_this_host() || (!go_on && is_missing(go_on.error())))
      go_on = visit_by_proc(root, v6, protocol, state, use);
    if (!go_on && v6 && is_missing(go_on.error())) return {};
    if (!go_on) return Failure(go_on.error());
    if (!*go_on) return {};
  }
  return {};
}

}  // namespace palang
