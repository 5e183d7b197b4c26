// What becomes of a packet, told by the real program in the running kernel.
#include <gmock/gmock.h>

#include "xdp_packets.hpp"

namespace palang::testing {
namespace {

class XdpVerdict : public Gatekeeper {};

constexpr uint16_t dot1q = 0x8100, dot1ad = 0x88a8;

TEST_F(XdpVerdict, OfAStrangerIsToPass) {
  EXPECT_EQ(verdict_on(Frame{}), "passed, not banned");
  EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::1"}), "passed, not banned");
}

TEST_F(XdpVerdict, OfAFullBanIsToDropEverywhere) {
  ban("198.51.100.7", Scope::full);
  allow_and_open({}, {80}, {443});
  EXPECT_EQ(verdict_on(Frame{.port = 80}), "dropped, full ban");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_UDP, .port = 443}), "dropped, full ban");
  EXPECT_TRUE(drops({.protocol = IPPROTO_ICMP}));
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.8", .port = 80}));
}

TEST_F(XdpVerdict, OfAQuietBanIsToDropWhatIsNotForAnOpenPort) {
  ban("198.51.100.7");
  allow_and_open({}, {80}, {443});
  EXPECT_EQ(verdict_on(Frame{.port = 80}), "passed, quiet ban, open port");
  EXPECT_EQ(verdict_on(Frame{.port = 443}), "dropped, quiet ban");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_UDP, .port = 443}), "passed, quiet ban, open port");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_UDP, .port = 80}), "dropped, quiet ban");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_ICMP}), "dropped, quiet ban");
  EXPECT_EQ(verdict_on(Frame{.protocol = IPPROTO_GRE}), "dropped, quiet ban");
}

TEST_F(XdpVerdict, OfTheAllowedIsToPassABanOfTheirNetwork) {
  ban("198.51.100.0/24", Scope::full);
  ban("2001:db8:9::/64", Scope::full);
  allow_and_open({"198.51.100.0/28", "2001:db8:9::5"});
  EXPECT_EQ(verdict_on(Frame{.from = "198.51.100.7"}), "passed, banned but allowed");
  EXPECT_EQ(verdict_on(Frame{.from = "198.51.100.77"}), "dropped, full ban");
  EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::5"}), "passed, banned but allowed");
  EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::6"}), "dropped, full ban");
  allow_and_open({});
  EXPECT_TRUE(drops({.from = "198.51.100.7"}));
}

TEST_F(XdpVerdict, CoversEveryPrefixLength) {
  for (unsigned length = 1; length <= 32; ++length) {
    const Prefix prefix = Prefix::of_length(make::address("198.51.100.7"), length);
    ban(prefix.text(), Scope::full);
    EXPECT_TRUE(drops({.from = "198.51.100.7"})) << length;
    lift(prefix.text());
    EXPECT_TRUE(passes(Frame{.from = "198.51.100.7"})) << length;
  }
  for (unsigned length = 1; length <= 128; ++length) {
    const Prefix prefix = Prefix::of_length(make::address("2001:db8:9:a::7"), length);
    ban(prefix.text(), Scope::full);
    EXPECT_TRUE(drops({.from = "2001:db8:9:a::7"})) << length;
    EXPECT_EQ(passes(Frame{.from = "6001:db8:9:a::7"}), length > 1) << length;
    lift(prefix.text());
    EXPECT_TRUE(passes(Frame{.from = "2001:db8:9:a::7"})) << length;
  }
}

TEST_F(XdpVerdict, OfAFullBanAroundAQuietOneIsToDrop) {
  allow_and_open({}, {80});
  ban("198.51.100.7", Scope::quiet);
  ban("198.51.100.0/24", Scope::full);
  EXPECT_EQ(verdict_on(Frame{.port = 80}), "dropped, full ban");
  lift("198.51.100.0/24");
  ban("198.51.0.0/16", Scope::quiet);
  EXPECT_EQ(verdict_on(Frame{.port = 80}), "passed, quiet ban, open port");
  EXPECT_EQ(hits_of("198.51.100.7"), 0U);
  EXPECT_TRUE(drops({.port = 22}));
  EXPECT_EQ(hits_of("198.51.100.7"), 1U) << "the longer prefix stopped it";
  EXPECT_EQ(hits_of("198.51.0.0/16"), 0U);
}

TEST_F(XdpVerdict, EndsABanByItself) {
  ban("198.51.100.7", Scope::full, 1s);
  EXPECT_TRUE(drops({}));
  // The clock can't be moved; a ban that ended is one whose end was written as past.
  now_ += 1h;
  apply(ChangeKind::moved, "198.51.100.7", Scope::full, -1h + 1us);
  EXPECT_TRUE(passes(Frame{}));
}

TEST_F(XdpVerdict, CountsHitsOfEachBan) {
  ban("198.51.100.7");
  ban("203.0.113.0/24", Scope::full);
  ban("2001:db8:9::/48");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(drops({}));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(drops({.from = "203.0.113.9"}));
  EXPECT_TRUE(drops({.from = "2001:db8:9:1::1"}));
  EXPECT_EQ(hits_of("198.51.100.7"), 5U);
  EXPECT_EQ(hits_of("203.0.113.0/24"), 3U);
  EXPECT_EQ(hits_of("2001:db8:9::/48"), 1U);
  ban("198.51.100.7");
  EXPECT_EQ(hits_of("198.51.100.7"), 0U) << "begins anew when it is written anew";
}

TEST_F(XdpVerdict, SeesThroughVlanTags) {
  ban("198.51.100.7");
  ban("2001:db8:9::1");
  EXPECT_TRUE(drops({.vlans = {dot1q}}));
  EXPECT_TRUE(drops({.vlans = {dot1ad, dot1q}}));
  EXPECT_TRUE(drops({.from = "2001:db8:9::1", .vlans = {dot1ad, dot1q}}));
  EXPECT_EQ(verdict_on(Frame{.vlans = {dot1ad, dot1q, dot1q}}), "passed, more than two VLAN tags");
}

TEST_F(XdpVerdict, SeesThroughOptionsOfIPv4) {
  ban("198.51.100.7");
  allow_and_open({}, {80});
  for (size_t options = 0; options <= 40; options += 4) {
    EXPECT_EQ(verdict_on(Frame{.port = 80, .options = options}), "passed, quiet ban, open port") << options;
    EXPECT_EQ(verdict_on(Frame{.port = 81, .options = options}), "dropped, quiet ban") << options;
  }
}

TEST_F(XdpVerdict, SeesThroughExtensionHeaders) {
  ban("2001:db8:9::1");
  allow_and_open({}, {80});
  const std::vector<std::vector<uint8_t>> chains = {
      {IPPROTO_HOPOPTS},
      {IPPROTO_ROUTING},
      {IPPROTO_DSTOPTS},
      {IPPROTO_AH},
      {IPPROTO_FRAGMENT},
      {IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_AH, 135, 139, 140, IPPROTO_DSTOPTS}};
  for (const auto& chain : chains) {
    EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::1", .port = 80, .extensions = chain}),
              "passed, quiet ban, open port");
    EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::1", .port = 81, .extensions = chain}), "dropped, quiet ban");
  }
  const std::vector<uint8_t> nine(9, IPPROTO_DSTOPTS);
  EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::1", .port = 81, .extensions = nine}),
            "passed, quiet ban, more than eight extension headers");
  ban("2001:db8:9::1", Scope::full);
  EXPECT_EQ(verdict_on(Frame{.from = "2001:db8:9::1", .extensions = nine}), "dropped, full ban");
}

TEST_F(XdpVerdict, JudgesFragmentsByTheFirst) {
  ban("198.51.100.7");
  ban("2001:db8:9::1");
  allow_and_open({}, {80});
  EXPECT_EQ(verdict_on(Frame{.port = 80, .more = true}), "passed, quiet ban, open port");
  EXPECT_EQ(verdict_on(Frame{.port = 81, .more = true}), "dropped, quiet ban");
  EXPECT_EQ(verdict_on(Frame{.offset = 100, .payload = 64}), "passed, quiet ban, later fragment");
  const Frame later{.from = "2001:db8:9::1", .offset = 100, .extensions = {IPPROTO_FRAGMENT}, .payload = 64};
  EXPECT_EQ(verdict_on(later), "passed, quiet ban, later fragment");
  ban("198.51.100.7", Scope::full);
  ban("2001:db8:9::1", Scope::full);
  EXPECT_EQ(verdict_on(Frame{.offset = 100, .payload = 64}), "dropped, full ban");
  EXPECT_EQ(verdict_on(later), "dropped, full ban");
}

// Cut anywhere, a frame of a banned source gets the verdict of what can still be read.
TEST_F(XdpVerdict, IsNamedAtEveryBoundaryOfAHeader) {
  ban("198.51.100.7");
  const std::string whole = Frame{.vlans = {dot1q}, .options = 8}.bytes();
  for (size_t length = 14; length <= whole.size(); ++length) {
    const std::string expected = length < 18   ? "passed, ends within a VLAN tag"
                                 : length < 38 ? "passed, ends within its IPv4 header"
                                 : length < 46 ? "passed, ends within its IPv4 options"
                                 : length < 66 ? "passed, quiet ban, ends within its transport header"
                                               : "dropped, quiet ban";
    EXPECT_EQ(verdict_on(whole.substr(0, length)), expected) << length;
  }
  ban("198.51.100.7", Scope::full);
  EXPECT_EQ(verdict_on(whole.substr(0, 46)), "dropped, full ban");
}

TEST_F(XdpVerdict, IsNamedAtEveryBoundaryOfAnIPv6Header) {
  ban("2001:db8:9::1");
  const std::string whole =
      Frame{.from = "2001:db8:9::1", .protocol = IPPROTO_UDP, .extensions = {IPPROTO_HOPOPTS, IPPROTO_DSTOPTS}}.bytes();
  for (size_t length = 14; length <= whole.size(); ++length) {
    const std::string expected = length < 54   ? "passed, ends within its IPv6 header"
                                 : length < 86 ? "passed, quiet ban, ends within an extension header"
                                 : length < 94 ? "passed, quiet ban, ends within its transport header"
                                               : "dropped, quiet ban";
    EXPECT_EQ(verdict_on(whole.substr(0, length)), expected) << length;
  }
}

TEST_F(XdpVerdict, OfWhatIsNoIpIsToPass) {
  std::string frame = Frame{}.bytes();
  frame[12] = 0x08;
  frame[13] = 0x06;
  EXPECT_EQ(verdict_on(frame), "passed, not IP");
  frame = Frame{}.bytes();
  frame[14] = 0x55;
  EXPECT_EQ(verdict_on(frame), "passed, no IPv4 header");
  frame[14] = 0x44;
  EXPECT_EQ(verdict_on(frame), "passed, no IPv4 header");
  frame = Frame{.from = "2001:db8:9::1"}.bytes();
  frame[14] = 0x45;
  EXPECT_EQ(verdict_on(frame), "passed, no IPv6 header");
}

TEST_F(XdpVerdict, LeavesNeighbourDiscoveryAlone) {
  ban("fe80::1", Scope::full);
  for (const int type : {133, 134, 135, 136, 137})
    EXPECT_TRUE(passes(Frame{.from = "fe80::1", .protocol = IPPROTO_ICMPV6, .icmp_type = static_cast<uint8_t>(type)}));
  EXPECT_TRUE(drops({.from = "fe80::1", .protocol = IPPROTO_ICMPV6, .icmp_type = 128}));
}

TEST_F(XdpVerdict, OfAQuietBanIsForThisHostAlone) {
  ban("198.51.100.7");
  XdpWatch watch;
  watch.own = {make::address("192.0.2.1"), make::address("2001:db8::1")};
  ASSERT_TRUE(enforcer_->watch(watch));
  EXPECT_EQ(verdict_on(Frame{}), "dropped, quiet ban");
  EXPECT_EQ(verdict_on(Frame{.to = "192.0.2.99"}), "passed, quiet ban, forwarded");
  EXPECT_EQ(verdict_on(Frame{.to = "224.0.0.1"}), "dropped, quiet ban");
  ban("198.51.100.7", Scope::full);
  EXPECT_EQ(verdict_on(Frame{.to = "192.0.2.99"}), "dropped, full ban");
}

TEST_F(XdpVerdict, IsToPassAfterEverythingWasLifted) {
  ban("198.51.100.7", Scope::full);
  ban("203.0.113.0/24", Scope::full);
  ban("2001:db8:9::1", Scope::full);
  ASSERT_TRUE(enforcer_->lift_everything({}));
  EXPECT_TRUE(passes(Frame{}));
  EXPECT_TRUE(passes(Frame{.from = "203.0.113.1"}));
  EXPECT_TRUE(passes(Frame{.from = "2001:db8:9::1"}));
  EXPECT_TRUE(enforcer_->held(now_)->empty());
}

}  // namespace
}  // namespace palang::testing
