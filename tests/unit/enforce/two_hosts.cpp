#include "two_hosts.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace palang::testing {
namespace {

constexpr int patience_ms = 333;

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint endpoint(const char* address, uint16_t port) {
  Endpoint endpoint;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&endpoint.storage, &v4, endpoint.size = sizeof v4);
  } else if (::inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&endpoint.storage, &v6, endpoint.size = sizeof v6);
  }
  return endpoint;
}

Fd make_socket(const Namespace& host, const Endpoint& at, int type) {
  const Inside here(host);
  return Fd(::socket(at.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool wait_for(const Fd& socket, short events) {
  pollfd ready{socket.get(), events, 0};
  return ::poll(&ready, 1, patience_ms) == 1;
}

int take_error(const Fd& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  EXPECT_EQ(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  return error;
}

}  // namespace

void TwoHosts::SetUp() {
  SKIP_WITHOUT_NAMESPACE(ours_);
  SKIP_WITHOUT_PROGRAM("ip");
  {
    const Inside here(ours_);
    const auto cable =
        run({"ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", theirs_.path()});
    if (cable.code != 0) GTEST_SKIP() << "this kernel has no veth: " << cable.out;
    run({"ip", "-batch", "-"},
        "address add 192.0.2.1/24 dev cable\naddress add 2001:db8::1/64 dev cable nodad\nlink set cable up\n"
        "route add 198.51.100.0/24 dev cable\nroute add 2001:db8:1::/64 dev cable\n");
    auto opened = open_enforcer();
    if (!opened) GTEST_SKIP() << opened.error().text;
    enforcer_ = std::move(*opened);
  }
  const Inside there(theirs_);
  run({"ip", "-batch", "-"},
      "address add 198.51.100.7/24 dev cable\naddress add 2001:db8:1::7/64 dev cable nodad\nlink set cable up\n"
      "route add 192.0.2.0/24 dev cable\nroute add 2001:db8::/64 dev cable\n");
  stand({});
  // A link that was only just set up may still swallow packets.
  for (int tries = 0; tries < 10 && !pings(theirs_, our_v4); ++tries) continue;
}

Result<std::unique_ptr<Enforcer>> TwoHosts::open_enforcer() {
  auto opened = NftEnforcer::open();
  if (!opened) return fail("nftables doesn't answer here: " + opened.error().text);
  return std::move(*opened);
}

Fd TwoHosts::listener(const Namespace& host, const char* address, uint16_t port) {
  const Endpoint at = endpoint(address, port);
  Fd socket = make_socket(host, at, SOCK_STREAM);
  if (::bind(socket.get(), at.get(), at.size) != 0 || ::listen(socket.get(), 8) != 0) socket.reset();
  return socket;
}

Fd TwoHosts::udp(const Namespace& host, const char* address, uint16_t port) {
  const Endpoint at = endpoint(address, port);
  Fd socket = make_socket(host, at, SOCK_DGRAM);
  if (::connect(socket.get(), at.get(), at.size) != 0) socket.reset();
  return socket;
}

TwoHosts::Attempt TwoHosts::connect(const Namespace& from, const char* address, uint16_t port) {
  const Endpoint to = endpoint(address, port);
  Fd socket = make_socket(from, to, SOCK_STREAM);
  int error = ::connect(socket.get(), to.get(), to.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    if (!wait_for(socket, POLLOUT)) return {Answer::silence, {}};
    error = take_error(socket);
  }
  if (error == 0) return {Answer::accepted, std::move(socket)};
  EXPECT_EQ(error, ECONNREFUSED) << std::strerror(error);
  return {Answer::refused, {}};
}

Fd TwoHosts::accept(const Fd& listener) {
  wait_for(listener, POLLIN);
  return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

bool TwoHosts::hears(const Fd& speaker, const Fd& hearer) {
  char word = 'x';
  EXPECT_EQ(::send(speaker.get(), &word, 1, MSG_NOSIGNAL), 1);
  return wait_for(hearer, POLLIN) && ::recv(hearer.get(), &word, 1, 0) == 1;
}

int TwoHosts::error_on(const Fd& socket) {
  wait_for(socket, POLLIN);
  return take_error(socket);
}

bool TwoHosts::pings(const Namespace& from, const char* address) {
  const Inside here(from);
  const Endpoint to = endpoint(address, 0);
  const Fd socket(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP));
  constexpr unsigned char echo_request[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};  // checksum of the type alone
  EXPECT_EQ(::sendto(socket.get(), echo_request, sizeof echo_request, 0, to.get(), to.size), 8);
  return wait_for(socket, POLLIN);
}

void TwoHosts::ban(const char* prefix, Scope scope) {
  Change change;
  change.decision.prefix = *Prefix::parse(prefix);
  change.decision.scope = scope;
  change.decision.until = now_ + std::chrono::hours{1};
  const Inside here(ours_);
  const auto done = enforcer_->apply({&change, 1}, now_);
  ASSERT_TRUE(done) << done.error().text;
}

void TwoHosts::lift(const char* prefix) {
  Change change;
  change.kind = ChangeKind::lifted;
  change.decision.prefix = *Prefix::parse(prefix);
  const Inside here(ours_);
  const auto done = enforcer_->apply({&change, 1}, now_);
  ASSERT_TRUE(done) << done.error().text;
}

void TwoHosts::stand(const std::vector<const char*>& allowed, const std::vector<uint16_t>& open_tcp) {
  Intended intended;
  for (const char* const prefix : allowed) intended.allowed.push_back({*Prefix::parse(prefix)});
  for (const uint16_t port : open_tcp) intended.open.tcp.add(port);
  const Inside here(ours_);
  const auto done = enforcer_->reconcile(intended, Enforcer::Extra::remove, now_);
  ASSERT_TRUE(done) << done.error().text;
}

uint64_t TwoHosts::hits(const char* prefix, Scope scope) {
  const Ban ban{*Prefix::parse(prefix), scope, now_ + std::chrono::hours{1}};
  const auto hits = enforcer_->hits({&ban, 1});
  EXPECT_TRUE(hits && hits->size() == 1);
  return hits && hits->size() == 1 ? hits->front().packets : 0;
}

}  // namespace palang::testing
