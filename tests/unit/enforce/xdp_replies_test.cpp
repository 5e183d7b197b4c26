// A banned peer that this host itself speaks to.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "bpf/object.hpp"
#include "xdp_packets.hpp"

namespace palang::testing {
namespace {

class XdpReplies : public Gatekeeper {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_PROGRAM("ip");
    Gatekeeper::SetUp();
    if (!enforcer_) return;
    run({"ip", "addr", "add", "192.0.2.1/24", "dev", "lo"});
    run({"ip", "addr", "add", "2001:db8::1/64", "dev", "lo", "nodad"});
    run({"ip", "route", "add", "default", "dev", "lo"});
    run({"ip", "-6", "route", "add", "default", "dev", "lo"});
    ban("198.51.100.7", Scope::full);
    ban("2001:db8:9::1", Scope::full);
  }
  // A socket of ours that speaks to the banned peer's port, and its local port. It need not get through.
  std::pair<Fd, uint16_t> speak(int family, int type, uint16_t peer_port) {
    Fd socket(::socket(family, type | SOCK_NONBLOCK, 0));
    sockaddr_storage peer{};
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    fill(family, "198.51.100.7", "2001:db8:9::1", peer_port, peer);
    fill(family, "192.0.2.1", "2001:db8::1", 0, own);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    (void)::connect(socket.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    const auto port = family == AF_INET ? reinterpret_cast<const sockaddr_in&>(own).sin_port
                                        : reinterpret_cast<const sockaddr_in6&>(own).sin6_port;
    return {std::move(socket), ntohs(port)};
  }

 private:
  static void fill(int family, const char* v4, const char* v6, uint16_t port, sockaddr_storage& out) {
    if (family == AF_INET) {
      auto& address = reinterpret_cast<sockaddr_in&>(out);
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      ::inet_pton(AF_INET, v4, &address.sin_addr);
    } else {
      auto& address = reinterpret_cast<sockaddr_in6&>(out);
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      ::inet_pton(AF_INET6, v6, &address.sin6_addr);
    }
  }
};

// Where the connection tracking is a module, its functions take CAP_SYS_ADMIN, which the daemon has given up.
class XdpRepliesWithoutConntrack : public XdpReplies {
 protected:
  XdpProgram::Options options() const override { return {.pins = {}, .with_tc = true, .with_conntrack = false}; }
};

TEST_F(XdpRepliesWithoutConntrack, OfOurSocketsPass) {
  ASSERT_FALSE(enforcer_->program().sees_conntrack());
  const auto [socket, port] = speak(AF_INET, SOCK_STREAM, 443);
  Frame reply{.port = port, .source_port = 443, .flags = syn | ack};
  EXPECT_EQ(verdict_on(reply), "passed, banned, reply to us");
  reply.source_port = 444;
  EXPECT_EQ(verdict_on(reply), "dropped, full ban");
}

// libbpf looks for every function that an object names, and before version 1.3 it fails where it may not look.
TEST(XdpObject, AloneNamesNoFunctionOfAModule) {
  const auto names_conntrack = [](std::span<const std::byte> object) {
    const std::string_view bytes(reinterpret_cast<const char*>(object.data()), object.size());
    return bytes.find("ct_lookup") != std::string_view::npos || bytes.find("ct_release") != std::string_view::npos;
  };
  EXPECT_TRUE(names_conntrack(bpf_object_gate()));
  EXPECT_FALSE(names_conntrack(bpf_object_gate_alone()));
}

TEST_F(XdpReplies, OfATcpConnectionOfOursPass) {
  for (const auto& [family, peer] : {std::pair{AF_INET, "198.51.100.7"}, {AF_INET6, "2001:db8:9::1"}}) {
    const auto [socket, port] = speak(family, SOCK_STREAM, 443);
    Frame reply{.from = peer, .port = port, .source_port = 443, .flags = syn | ack};
    EXPECT_EQ(verdict_on(reply), "passed, banned, reply to us") << peer;
    reply.source_port = 444;
    EXPECT_EQ(verdict_on(reply), "dropped, full ban") << "another of its ports";
    reply.source_port = 443;
    reply.port = port == 60'000 ? 59'999 : static_cast<uint16_t>(port + 1);
    EXPECT_EQ(verdict_on(reply), "dropped, full ban") << "another of ours";
    reply.port = port;
    reply.flags = syn;
    EXPECT_EQ(verdict_on(reply), "dropped, full ban") << "a connection of its own";
  }
}

TEST_F(XdpReplies, ToARequestByUdpPass) {
  for (const auto& [family, peer] : {std::pair{AF_INET, "198.51.100.7"}, {AF_INET6, "2001:db8:9::1"}}) {
    const auto [socket, port] = speak(family, SOCK_DGRAM, 53);
    Frame reply{.from = peer, .protocol = IPPROTO_UDP, .port = port, .source_port = 53};
    EXPECT_EQ(verdict_on(reply), "passed, banned, reply to us") << peer;
    reply.source_port = 54;
    EXPECT_EQ(verdict_on(reply), "dropped, full ban");
  }
}

// It connected to a service of ours before it was banned: that is no connection that we opened.
TEST_F(XdpReplies, AreNoneToAServiceThatListens) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(40'123);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(verdict_on(Frame{.port = 40'123, .flags = ack}), "dropped, full ban");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_UDP, .port = 40'123}), "dropped, full ban");
}

TEST_F(XdpReplies, ByIcmpPass) {
  for (const uint8_t type : std::initializer_list<uint8_t>{0, 3, 11, 12})
    EXPECT_TRUE(passes(Frame{.protocol = IPPROTO_ICMP, .icmp_type = type})) << +type;
  EXPECT_TRUE(drops({.protocol = IPPROTO_ICMP, .icmp_type = 8}));
  for (const uint8_t type : std::initializer_list<uint8_t>{1, 2, 3, 4, 129})
    EXPECT_TRUE(passes(Frame{.from = "2001:db8:9::1", .protocol = IPPROTO_ICMPV6, .icmp_type = type})) << +type;
  EXPECT_TRUE(drops({.from = "2001:db8:9::1", .protocol = IPPROTO_ICMPV6, .icmp_type = 128}));
}

}  // namespace
}  // namespace palang::testing
