// What the program finds out by itself.
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <numeric>

#include "xdp_packets.hpp"

namespace palang::testing {
namespace {

class XdpTripwire : public Gatekeeper {
 protected:
  void SetUp() override {
    Gatekeeper::SetUp();
    if (!enforcer_) return;
    watch_.tripwire = true;
    watch_.after = 2;
    watch_.heard_tcp.add(22);
    watch_.heard_udp.add(53);
    use();
    ring_ = ring_buffer__new(enforcer_->program().map("events"), &XdpTripwire::receive, this, nullptr);
    ASSERT_NE(ring_, nullptr);
  }
  void TearDown() override { ring_buffer__free(ring_); }
  void use() { ASSERT_TRUE(enforcer_->watch(watch_)); }

  static int receive(void* self, void* data, size_t size) {
    EXPECT_EQ(size, sizeof(palang_event));
    static_cast<XdpTripwire*>(self)->events_.push_back(*static_cast<const palang_event*>(data));
    return 0;
  }
  std::vector<palang_event> events() {
    events_.clear();
    ring_buffer__consume(ring_);
    return events_;
  }
  uint64_t counted(palang_verdict verdict) { return counters()[verdict]; }

  XdpWatch watch_;
  ring_buffer* ring_ = nullptr;
  std::vector<palang_event> events_;
};

TEST_F(XdpTripwire, BansTheScannerBeforeItsThirdPacket) {
  EXPECT_TRUE(passes(Frame{.port = 23}));
  EXPECT_TRUE(passes(Frame{.port = 24}));
  EXPECT_EQ(verdict_on(Frame{.port = 25}), "dropped, quiet ban");
  const auto told = events();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, PALANG_TRIPPED);
  EXPECT_EQ(Address::from_words(told[0].source.high, told[0].source.low), make::address("198.51.100.7"));
  EXPECT_EQ(told[0].port, 24);
  EXPECT_EQ(told[0].count, 2);
  EXPECT_EQ(told[0].protocol, IPPROTO_TCP);
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.8", .port = 25}));
}

TEST_F(XdpTripwire, CatchesIPv6AndUdp) {
  for (const char* const source : {"2001:db8:9::1", "203.0.113.5"}) {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(passes(Frame{.from = source, .protocol = IPPROTO_UDP, .port = 161}));
    EXPECT_TRUE(drops({.from = source, .protocol = IPPROTO_UDP, .port = 161}));
  }
  EXPECT_EQ(events().size(), 2U);
}

TEST_F(XdpTripwire, LeavesOpenPortsToTheBanned) {
  allow_and_open({}, {80});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(passes(Frame{.port = 23}));
  EXPECT_TRUE(passes(Frame{.port = 80}));
  EXPECT_TRUE(drops({.port = 22}));
}

TEST_F(XdpTripwire, CountsNobodyElse) {
  allow_and_open({"198.51.100.99"}, {80}, {443});
  const std::vector<Frame> innocent = {
      {.port = 22},
      {.port = 80},
      {.protocol = IPPROTO_UDP, .port = 53},
      {.protocol = IPPROTO_UDP, .port = 443},
      {.port = 23, .flags = syn | ack},
      {.port = 23, .flags = ack},
      {.port = 23, .flags = rst},
      {.port = 23, .flags = rst | ack},
      {.protocol = IPPROTO_UDP, .port = 40'000, .source_port = 53},
      {.from = "198.51.100.99", .port = 23},
      {.to = "224.0.0.251", .protocol = IPPROTO_UDP, .port = 5353},
      {.to = "255.255.255.255", .protocol = IPPROTO_UDP, .port = 67},
      {.from = "2001:db8:9::1", .to = "ff02::fb", .protocol = IPPROTO_UDP, .port = 5353},
      {.from = "127.0.0.1", .port = 23},
      {.from = "0.0.0.0", .to = "192.0.2.1", .protocol = IPPROTO_UDP, .port = 68},
      {.from = "fe80::1", .protocol = IPPROTO_UDP, .port = 546},
      {.protocol = IPPROTO_ICMP},
      {.port = 23, .offset = 10, .payload = 40},
  };
  for (const Frame& frame : innocent)
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(passes(frame)) << frame.from << " " << frame.port;
  EXPECT_EQ(counted(PALANG_SAW_TRIP), 0U);
  EXPECT_TRUE(events().empty());
}

TEST_F(XdpTripwire, LeavesAloneWhatIsForOthers) {
  watch_.own = {make::address("192.0.2.1")};
  use();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(passes(Frame{.to = "192.0.2.2", .port = 23}));
  EXPECT_TRUE(events().empty());
}

// The bitmap is as old as the daemon's last look at the sockets.
TEST_F(XdpTripwire, AsksForASocketBeforeItBans) {
  run({"ip", "addr", "add", "192.0.2.1/24", "dev", "lo"});
  const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(8080);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(passes(Frame{.port = 8080}));
  EXPECT_TRUE(events().empty());
}

TEST_F(XdpTripwire, KeepsToItsBudgetOfBans) {
  watch_.after = 1;
  watch_.bans_per_second = 100;
  watch_.bans_per_network = 5;
  use();
  for (int i = 0; i < 50; ++i) passes(Frame{.from = "203.0.113." + std::to_string(i), .port = 23});
  // The second may have changed meanwhile.
  EXPECT_LE(counted(PALANG_SAW_TRIP_BAN), 10U);
  EXPECT_GE(counted(PALANG_SAW_TRIP_SPARED), 40U);
  for (int i = 0; i < 2000; ++i)
    passes(Frame{.from = "100." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".9", .port = 23});
  EXPECT_LT(counted(PALANG_SAW_TRIP_BAN), 1000U);
  EXPECT_EQ(enforcer_->held(now_)->size(), counted(PALANG_SAW_TRIP_BAN));
}

// Forged sources without number: what they want is closed, so it is no loss to anybody. Open ports stay as they are.
TEST_F(XdpTripwire, DropsWhatNobodyListensForInAFlood) {
  watch_.trips_per_second = 1000;
  watch_.answers_per_second = 10'000;
  use();
  uint64_t passed = 0;
  for (uint32_t i = 0; i < 20'000; ++i)
    if (passes(Frame{.from = Address::v4(0x0b000000 + i * 101).text(), .port = 23})) ++passed;
  EXPECT_EQ(passed + counted(PALANG_DROP_FLOOD), 20'000U);
  EXPECT_GE(passed, 1000U);
  EXPECT_LE(passed, 15'000U) << "the second may have changed meanwhile";
  EXPECT_TRUE(passes(Frame{.from = "203.0.113.200", .port = 22}));
  EXPECT_TRUE(passes(Frame{.from = "203.0.113.200", .port = 40'000, .flags = syn | ack}));
}

// What the system refuses costs as much as many that are dropped.
TEST_F(XdpTripwire, LetsFewOfThoseItCountsBeRefused) {
  watch_.answers_per_second = 100;
  watch_.trips_per_second = 1'000'000;
  use();
  uint64_t passed = 0;
  for (uint32_t i = 0; i < 20'000; ++i)
    if (passes(Frame{.from = Address::v4(0x0b000000 + i * 101).text(), .port = 23})) ++passed;
  EXPECT_EQ(counted(PALANG_SAW_TRIP), 20'000U);
  EXPECT_EQ(passed + counted(PALANG_DROP_FLOOD), 20'000U);
  EXPECT_GE(passed, 100U);
  EXPECT_LE(passed, 1500U) << "the second may have changed meanwhile";
  EXPECT_TRUE(passes(Frame{.from = "203.0.113.200", .port = 22}));
}

// Before it looks for bans, so that knocks of forged sources move no end.
TEST_F(XdpTripwire, DropsAFloodBeforeItAsksWhoIsBanned) {
  watch_.trips_per_second = 0;
  watch_.decoys.add(7);
  use();
  ban("198.51.100.7", Scope::full);
  allow_and_open({"198.51.100.9"});
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.8", .port = 22}));
  EXPECT_EQ(verdict_on(Frame{.from = "198.51.100.8", .port = 23}), "dropped, nobody listens there, in a flood");
  EXPECT_EQ(verdict_on(Frame{.port = 23}), "dropped, nobody listens there, in a flood");
  EXPECT_EQ(hits_of("198.51.100.7"), 0U);
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.9", .port = 23})) << "allowed";
  EXPECT_EQ(run_program(Frame{.from = "198.51.100.8", .port = 7}.bytes()).result, XDP_TX) << "a decoy";
  EXPECT_EQ(verdict_on(Frame{.port = 22}), "dropped, full ban");
}

TEST_F(XdpTripwire, IsNotFilledByAFlood) {
  watch_.bans_per_second = 0;
  watch_.trips_per_second = 1'000'000;
  use();
  for (uint32_t i = 0; i < 150'000; ++i) passes(Frame{.from = Address::v4(0x0b000000 + i * 101).text(), .port = 23});
  EXPECT_EQ(counted(PALANG_SAW_TRIP), 150'000U);
  EXPECT_GT(counted(PALANG_SAW_TRIP_EVICTION), 150'000U - PALANG_TRACKED_SETS * PALANG_TRACKED_WAYS - 1);
  EXPECT_EQ(counted(PALANG_SAW_TRIP_BAN), 0U);
}

TEST_F(XdpTripwire, BansUntilTheDaemonTakesThemOver) {
  for (int i = 0; i < 2; ++i) passes(Frame{.port = 23});
  EXPECT_TRUE(drops({.port = 23}));
  EXPECT_EQ(enforcer_->held(now_)->size(), 1U);
  EXPECT_EQ(enforcer_->table().size(), 0U);
  ban("198.51.100.7", Scope::full);
  EXPECT_EQ(enforcer_->held(now_)->size(), 1U);
  EXPECT_EQ(enforcer_->table().size(), 1U);
  EXPECT_EQ(verdict_on(Frame{.port = 23}), "dropped, full ban");
  lift("198.51.100.7");
  EXPECT_TRUE(enforcer_->held(now_)->empty());
}

TEST_F(XdpTripwire, IsLiftedBeforeTheDaemonTookItOver) {
  for (int i = 0; i < 2; ++i) passes(Frame{.port = 23});
  EXPECT_TRUE(drops({.port = 23}));
  lift("198.51.100.7");
  EXPECT_TRUE(passes(Frame{.port = 22}));
  EXPECT_TRUE(enforcer_->held(now_)->empty());
}

TEST_F(XdpTripwire, CountsEventsThatTheDaemonDidNotTake) {
  watch_.after = 1;
  watch_.bans_per_second = watch_.bans_per_network = watch_.trips_per_second = 1'000'000;
  use();
  for (uint32_t i = 0; i < PALANG_FRESH_BANS + 1000; ++i)
    passes(Frame{.from = Address::v4(0x0b000000 + i * 257).text(), .port = 23});
  EXPECT_EQ(counted(PALANG_SAW_TRIP_BAN), PALANG_FRESH_BANS);
  EXPECT_EQ(counted(PALANG_SAW_TRIP_FULL), 1000U);
  EXPECT_EQ(events().size() + counted(PALANG_SAW_LOST_EVENT), PALANG_FRESH_BANS);
}

class XdpDecoy : public XdpTripwire {
 protected:
  void SetUp() override {
    XdpTripwire::SetUp();
    if (!enforcer_) return;
    if (!enforcer_->program().bakes_cookies()) GTEST_SKIP() << "this kernel has no SYN cookies for XDP";
    watch_.decoys.add(23);
    use();
  }
  static uint32_t number(const std::string& bytes, size_t at, size_t size) {
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes.at(at + i));
    return value;
  }
};

TEST_F(XdpDecoy, ProvesTheSourceThatAnswersItsCookie) {
  for (const char* const source : {"198.51.100.7", "2001:db8:9::1"}) {
    const bool v4 = make::address(source).is_v4();
    const size_t network = v4 ? 20 : 40;
    const auto answer = run_program(Frame{.from = source, .port = 23, .sequence = 1000}.bytes());
    ASSERT_EQ(answer.result, XDP_TX) << source;
    const std::string& frame = answer.frame;
    const size_t tcp = 14 + network;
    ASSERT_EQ(frame.size(), tcp + 20);
    EXPECT_EQ(number(frame, tcp, 2), 23U);
    EXPECT_EQ(number(frame, tcp + 2, 2), 40000U);
    EXPECT_EQ(number(frame, tcp + 8, 4), 1001U);
    EXPECT_EQ(number(frame, tcp + 13, 1), syn | ack);
    const Address us = make::address(v4 ? "192.0.2.1" : "2001:db8::1");
    EXPECT_EQ(wire::checksum(frame.substr(tcp), wire::pseudo(us, make::address(source), 20, IPPROTO_TCP)), 0)
        << "the checksum of TCP";
    if (v4) {
      EXPECT_EQ(wire::checksum(frame.substr(14, 20)), 0) << "the checksum of IPv4";
    }
    const uint32_t cookie = number(frame, tcp + 4, 4);
    const Frame proof{.from = source, .port = 23, .flags = ack, .sequence = 1001, .acknowledges = cookie + 1};
    EXPECT_EQ(verdict_on(proof), "dropped, at a decoy");
    const auto told = events();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].kind, PALANG_PROVEN);
    EXPECT_EQ(Address::from_words(told[0].source.high, told[0].source.low), make::address(source));
  }
}

TEST_F(XdpDecoy, BelievesNoOtherNumber) {
  const auto answer = run_program(Frame{.port = 23, .sequence = 1000}.bytes());
  ASSERT_EQ(answer.result, XDP_TX);
  const uint32_t cookie = number(answer.frame, 38, 4);
  // The four numbers from the cookie on say different segment sizes; further ones are none.
  for (const uint32_t off : {5U, 1000U, 1U << 20})
    EXPECT_TRUE(drops({.port = 23, .flags = ack, .sequence = 1001, .acknowledges = cookie + 1 + off})) << off;
  EXPECT_TRUE(drops({.from = "198.51.100.8", .port = 23, .flags = ack, .sequence = 1001, .acknowledges = cookie + 1}));
  EXPECT_TRUE(events().empty());
}

TEST_F(XdpDecoy, NeverAnswersMoreThanItReceives) {
  watch_.decoys_per_second = 20;
  use();
  uint64_t answered = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string frame = Frame{.port = 23}.bytes();
    const auto ran = run_program(frame);
    if (ran.result != XDP_TX) continue;
    ++answered;
    EXPECT_LE(ran.frame.size(), frame.size());
  }
  EXPECT_GE(answered, 20U);
  EXPECT_LE(answered, 40U) << "the second may have changed meanwhile";
  EXPECT_EQ(run_program(Frame{.port = 23, .flags = syn | ack}.bytes()).result, XDP_PASS)
      << "no loop between two decoys";
  EXPECT_EQ(run_program(Frame{.port = 23, .flags = rst}.bytes()).result, XDP_PASS);
}

TEST_F(XdpDecoy, IsSilentToTheBannedAndTheAllowed) {
  ban("198.51.100.7");
  allow_and_open({"198.51.100.8"});
  EXPECT_TRUE(drops({.port = 23}));
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.8", .port = 23}));
}

}  // namespace
}  // namespace palang::testing
