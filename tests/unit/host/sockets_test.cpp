#include "host/sockets.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "temp_root.hpp"

namespace palang {
namespace {

TEST(ProcNet, ReadsBothFamilies) {
  const auto v4 = parse_proc_net(
      "   1: 0100007F:08FB 076433C6:C8D2 01 00000000:00000000 02:000A7B45 00000000     0        0 14515 4 0");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->local.text(), "127.0.0.1");
  EXPECT_EQ(v4->local_port, 2299);
  EXPECT_EQ(v4->remote.text(), "198.51.100.7");
  EXPECT_EQ(v4->remote_port, 51410);
  EXPECT_EQ(v4->state, SocketState::established);
  EXPECT_EQ(v4->inode, 14515U);

  const auto v6 = parse_proc_net(
      "   0: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 21 1");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->local.text(), "2001:db8::1");
  EXPECT_EQ(v6->state, SocketState::listening);

  const auto mapped = parse_proc_net(
      "   0: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF0000076433C6:1000 01 "
      "00000000:00000000 00:00000000 00000000     0        0 21 1");
  ASSERT_TRUE(mapped.has_value());
  EXPECT_EQ(mapped->remote.text(), "198.51.100.7") << "a v4-mapped peer is an IPv4 peer";
}

TEST(ProcNet, RefusesWhatIsNoSocket) {
  EXPECT_FALSE(parse_proc_net("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"));
  EXPECT_FALSE(parse_proc_net(""));
  EXPECT_FALSE(parse_proc_net("   1: 0100007F:08FB 076433C6:C8D2"));
  EXPECT_FALSE(parse_proc_net("   1: 0100007F08FB 076433C6:C8D2 01 0:0 0:0 0 0 0 14515"));
  EXPECT_FALSE(parse_proc_net("   1: 0100007F:108FB 076433C6:C8D2 01 0:0 0:0 0 0 0 14515"));
}

TEST(SockDiag, ReadsAMessage) {
  inet_diag_msg message{};
  message.idiag_family = AF_INET6;
  message.idiag_state = 10;
  message.idiag_inode = 4711;
  message.id.idiag_sport = htons(443);
  message.id.idiag_src[0] = htonl(0x20010db8);
  message.id.idiag_src[3] = htonl(5);
  const auto socket = parse_diag(std::as_bytes(std::span(&message, 1)));
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(socket->local.text(), "2001:db8::5");
  EXPECT_EQ(socket->local_port, 443);
  EXPECT_EQ(socket->state, SocketState::listening);
  EXPECT_EQ(socket->inode, 4711U);

  EXPECT_FALSE(parse_diag(std::as_bytes(std::span(&message, 1)).first(20))) << "cut short";
  message.idiag_family = AF_UNIX;
  EXPECT_FALSE(parse_diag(std::as_bytes(std::span(&message, 1))));
}

// A listening TCP socket on a port that the kernel chose.
class ListeningSocket {
 public:
  ListeningSocket() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  Fd socket_;
  uint16_t port_ = 0;
};

void expect_found(const HostRoot& root) {
  const ListeningSocket listening;
  int found = 0;
  const auto done = visit_sockets(root, Protocol::tcp, SocketState::listening, [&](const Socket& socket) {
    EXPECT_EQ(socket.state, SocketState::listening);
    if (socket.local_port == listening.port() && socket.local.is_loopback() && socket.inode != 0) ++found;
    return true;
  });
  ASSERT_TRUE(done.has_value()) << done.error().text;
  EXPECT_EQ(found, 1);
}

TEST(VisitSockets, FindsAListenerThroughSockDiag) {
  expect_found(HostRoot());
}

TEST(VisitSockets, FindsAListenerThroughProc) {
  expect_found(HostRoot("/"));
}

TEST(VisitSockets, StopsWhenTold) {
  const ListeningSocket one;
  const ListeningSocket two;
  int visited = 0;
  const auto done = visit_sockets(HostRoot(), Protocol::tcp, SocketState::listening, [&](const Socket&) {
    ++visited;
    return false;
  });
  ASSERT_TRUE(done.has_value()) << done.error().text;
  EXPECT_EQ(visited, 1);
}

TEST(VisitSockets, AHostWithoutIPv6IsNoError) {
  const TempRoot host;
  host.write("/proc/net/tcp", "");
  EXPECT_TRUE(visit_sockets(host.root(), Protocol::tcp, SocketState::listening, [](const Socket&) { return true; }));
  const TempRoot empty;
  const auto done =
      visit_sockets(empty.root(), Protocol::tcp, SocketState::listening, [](const Socket&) { return true; });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().text, "open " + empty.path("/proc/net/tcp") + ": no such file or directory (ENOENT)");
}

}  // namespace
}  // namespace palang
