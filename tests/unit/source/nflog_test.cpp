#include "source/nflog.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>

#include "unit/host/own_namespace.hpp"
#include "unit/source/helpers.hpp"

namespace palang::test {
namespace {

constexpr uint16_t group = 7;
constexpr uint16_t logged_port = 8083;

bool firewall_logs_by_nflog() {
  return run({"nft",
              "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in udp dport 8083 log prefix \"refused: \" group 7 drop"});
}

// Datagrams to ourselves, from a port of their own.
void send_datagrams(int count, int size = 1) {
  const Fd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(logged_port);
  to.sin_addr.s_addr = htonl(0xc6336401);  // 198.51.100.1
  const std::string text(static_cast<size_t>(size), 'x');
  for (int i = 0; i < count; ++i)
    ::sendto(sender.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

struct Seen {
  uint64_t packets = 0;
  uint64_t lost = 0;
};

Seen read_all(Nflog& source) {
  Seen seen;
  Source::Batch batch;
  do {
    const auto done = source.read(batch);
    EXPECT_TRUE(done) << done.error().text;
    if (!done) break;
    seen.packets += batch.packets.size();
  } while (batch.more);
  seen.lost = source.counters().lost_lines;
  return seen;
}

// In a network of its own with such a firewall, or skipped.
void with_firewall(const std::function<void(Nflog&, FakeClock&)>& test) {
  std::string missing;
  const std::string why_not = in_own_network([&] {
    if (!firewall_logs_by_nflog()) {
      missing = "nft can't log by NFLOG here";
      return;
    }
    FakeClock clock;
    clock.time = SystemClock{}.now();
    auto source = Nflog::open(group, clock);
    ASSERT_TRUE(source) << source.error().text;
    test(**source, clock);
  });
  if (!why_not.empty() || !missing.empty()) GTEST_SKIP() << why_not << missing;
}

TEST(NflogTest, HandsOverWhatTheFirewallLogged) {
  with_firewall([](Nflog& source, FakeClock& clock) {
    EXPECT_EQ(source.name(), "nflog:7");
    send_datagrams(1, 1000);
    ASSERT_TRUE(becomes_readable(source.fd()));
    clock.time = SystemClock{}.now();
    Source::Batch batch;
    ASSERT_TRUE(source.read(batch));
    ASSERT_EQ(batch.packets.size(), 1U);
    const RawPacket& packet = batch.packets.front();
    EXPECT_EQ(packet.prefix, "refused: ");
    EXPECT_EQ(packet.in, "lo");
    EXPECT_EQ(packet.out, "");
    EXPECT_EQ(packet.bytes.size(), 192U) << "the headers, not the 1000 bytes behind them";
    EXPECT_EQ(packet.bytes[0], 0x45);
    EXPECT_EQ(packet.bytes[22] << 8 | packet.bytes[23], logged_port);
    EXPECT_LE(packet.at, clock.time);
    EXPECT_GE(packet.at, clock.time - 10s);
    EXPECT_EQ(source.counters().lines, 1U);
    EXPECT_EQ(source.counters().lost_lines, 0U);
    EXPECT_FALSE(batch.more);
  });
}

// How many of these lone packets are there when the sender's call returns. The kernel may always be late with some.
int at_once(Nflog& source, int packets) {
  int count = 0;
  for (int i = 0; i < packets; ++i) {
    send_datagrams(1);
    count += becomes_readable(source.fd(), 0) ? 1 : 0;
    EXPECT_TRUE(becomes_readable(source.fd()));
    EXPECT_EQ(read_all(source).packets, 1U);
  }
  return count;
}

TEST(NflogTest, ALonePacketDoesNotWaitForCompany) {
  with_firewall([](Nflog& source, FakeClock&) { EXPECT_GT(at_once(source, 100), 50); });
}

TEST(NflogTest, WhatWasLostIsCounted) {
  with_firewall([](Nflog& source, FakeClock&) {
    const int small = 0;  // the kernel makes it its least
    ASSERT_EQ(::setsockopt(source.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &small, sizeof small), 0);
    constexpr uint64_t sent = 500;
    send_datagrams(sent);
    const Seen before = read_all(source);
    EXPECT_LT(before.packets, sent);
    send_datagrams(1);  // tells what was lost before it
    const Seen after = read_all(source);
    EXPECT_EQ(after.packets, 1U);
    EXPECT_EQ(before.packets + after.packets + after.lost, sent + 1);
  });
}

TEST(NflogTest, AFloodIsHandedOverManyAtATimeAndThenNoMore) {
  with_firewall([](Nflog& source, FakeClock& clock) {
    read_all(source);
    uint64_t seen = 0;
    for (int i = 0; i < 4; ++i) {
      clock.time += 100ms;
      send_datagrams(3000);
      seen += read_all(source).packets;
    }
    while (seen < 12'000 && becomes_readable(source.fd())) seen += read_all(source).packets;  // the last batch waits
    EXPECT_EQ(seen, 12'000U);
    EXPECT_LT(at_once(source, 20), 10) << "they wait for company";
    clock.time += 1s;
    read_all(source);
    EXPECT_GT(at_once(source, 20), 10) << "the flood is over";
    EXPECT_EQ(source.counters().lost_lines, 0U);
  });
}

TEST(NflogTest, AGroupHasOneReader) {
  with_firewall([](Nflog&, FakeClock& clock) {
    const auto second = Nflog::open(group, clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(
        second.error().text,
        "bind to NFLOG group 7: operation not permitted (EPERM): another program is bound to it, or CAP_NET_ADMIN is "
        "missing");
    EXPECT_TRUE(Nflog::open(group + 1, clock));
  });
}

TEST(NflogTest, InterfacesAreNamedAndForgotten) {
  InterfaceNames names;
  EXPECT_EQ(names.of(0), "");
  EXPECT_EQ(names.of(::if_nametoindex("lo")), "lo");
  EXPECT_EQ(names.of(999'999), "if999999");
  const WallTime now{std::chrono::hours{24 * 365 * 55}};
  names.forget_old(now);
  EXPECT_EQ(names.of(::if_nametoindex("lo")), "lo");
}

}  // namespace
}  // namespace palang::test
