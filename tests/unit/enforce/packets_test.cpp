// Real packets between two hosts, through the real kernel.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "enforce/ipset_enforcer.hpp"
#include "two_hosts.hpp"

namespace palang {
namespace {

using testing::Inside;
using testing::run;
using testing::TwoHosts;

// Each enforcer, as it is named in the tests; iptables is of one kind or the other.
class Packets : public TwoHosts, public ::testing::WithParamInterface<std::string_view> {
 protected:
  Result<std::unique_ptr<Enforcer>> open_enforcer() override {
    if (GetParam() == "nftables") return TwoHosts::open_enforcer();
    // What the host has rules of is what it uses.
    const std::string kind(GetParam().substr(GetParam().find('_') + 1));
    const std::string program = "iptables-" + kind;
    if (!testing::has_program(program)) return fail("the program `" + program + "` is not installed");
    if (const auto ran = run({program, "-A", "OUTPUT", "-j", "ACCEPT"}); ran.code != 0) return fail(ran.out);
    auto opened = IpsetEnforcer::open();
    if (!opened) return fail("ipset doesn't answer here: " + opened.error().text);
    EXPECT_EQ((*opened)->uses_legacy_iptables(), kind == "legacy");
    return std::move(*opened);
  }
};

INSTANTIATE_TEST_SUITE_P(Of, Packets, ::testing::Values("nftables", "ipset_nft", "ipset_legacy"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(Packets, OfStrangersPass) {
  const Fd service = listener(ours_, our_v4, 80);
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::accepted);
  EXPECT_EQ(knock(theirs_, our_v4, 8083), Answer::refused);
  EXPECT_EQ(knock(theirs_, our_v6, 8083), Answer::refused);
}

TEST_P(Packets, OfAFullBanAreDroppedEverywhere) {
  stand({}, {80});
  const Fd service = listener(ours_, our_v4, 80);
  const Fd service6 = listener(ours_, our_v6, 80);
  ban("198.51.100.0/24", Scope::full);
  ban("2001:db8:1::/64", Scope::full);
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::silence);
  EXPECT_EQ(knock(theirs_, our_v4, 8083), Answer::silence);
  EXPECT_EQ(knock(theirs_, our_v6, 80), Answer::silence);
  EXPECT_GE(hits("198.51.100.0/24", Scope::full), 2U);
  EXPECT_GE(hits("2001:db8:1::/64", Scope::full), 1U);
  lift("198.51.100.0/24");
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::accepted);
}

TEST_P(Packets, OfAQuietBanPassOnlyToOpenPorts) {
  stand({}, {80});
  const Fd service = listener(ours_, our_v4, 80);
  const Fd service6 = listener(ours_, our_v6, 80);
  const Fd closed = listener(ours_, our_v4, 8083);
  ban(their_v4, Scope::quiet);
  ban("2001:db8:1::/64", Scope::quiet);
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::accepted);
  EXPECT_EQ(knock(theirs_, our_v6, 80), Answer::accepted);
  EXPECT_EQ(hits(their_v4, Scope::quiet), 0U);
  EXPECT_EQ(knock(theirs_, our_v4, 8083), Answer::silence);
  EXPECT_EQ(knock(theirs_, our_v4, 8084), Answer::silence);
  EXPECT_EQ(knock(theirs_, our_v6, 8084), Answer::silence);
  EXPECT_GE(hits(their_v4, Scope::quiet), 2U);
}

TEST_P(Packets, APortThatIsOpenForTcpIsNotOpenForUdp) {
  stand({}, {53});
  ban(their_v4, Scope::quiet);
  const Fd asking = udp(theirs_, our_v4, 53);
  EXPECT_EQ(::send(asking.get(), "x", 1, 0), 1);
  EXPECT_EQ(hits(their_v4, Scope::quiet), 1U);
}

TEST_P(Packets, OfAMovedBanAreCountedAnew) {
  ban(their_v4, Scope::quiet);
  EXPECT_EQ(knock(theirs_, our_v4, 8083), Answer::silence);
  ban(their_v4, Scope::quiet);
  EXPECT_EQ(hits(their_v4, Scope::quiet), 0U);
}

TEST_P(Packets, RepliesToOurOwnConnectionsPassWhoeverIsBanned) {
  const Fd their_service = listener(theirs_, their_v4, 443);
  const Fd their_service6 = listener(theirs_, their_v6, 443);
  ban("198.51.100.0/24", Scope::full);
  ban("2001:db8:1::/64", Scope::full);
  const auto ours = connect(ours_, their_v4, 443);
  ASSERT_EQ(ours.answer, Answer::accepted);
  EXPECT_EQ(knock(ours_, their_v6, 443), Answer::accepted);
  EXPECT_EQ(knock(ours_, their_v4, 444), Answer::refused);
  const Fd theirs = accept(their_service);
  EXPECT_TRUE(hears(ours.socket, theirs));
  EXPECT_TRUE(hears(theirs, ours.socket));
  EXPECT_EQ(hits("198.51.100.0/24", Scope::full), 0U);
}

// "Port unreachable" comes from the banned peer as ICMP; connection tracking relates it to our own packet.
TEST_P(Packets, IcmpErrorsAboutOurOwnPacketsPass) {
  ban(their_v4, Scope::full);
  ban("2001:db8:1::/64", Scope::full);
  for (const char* const address : {their_v4, their_v6}) {
    const Fd ours = udp(ours_, address, 5353);
    EXPECT_EQ(::send(ours.get(), "x", 1, 0), 1);
    EXPECT_EQ(error_on(ours), ECONNREFUSED);
  }
}

TEST_P(Packets, OtherProtocolsOfAQuietBanAreDropped) {
  EXPECT_TRUE(pings(theirs_, our_v4));
  ban(their_v4, Scope::quiet);
  EXPECT_FALSE(pings(theirs_, our_v4));
  EXPECT_EQ(hits(their_v4, Scope::quiet), 1U);
}

// The port that a packet was sent to is closed; the one it is redirected to is open, and that is the one that counts.
TEST_P(Packets, OfAQuietBanPassToARedirectedOpenPort) {
  SKIP_WITHOUT_PROGRAM("nft");
  stand({}, {80});
  {
    const Inside here(ours_);
    const auto ran = run({"nft",
                          "add table ip nat; add chain ip nat pre { type nat hook prerouting priority -100; }; "
                          "add rule ip nat pre tcp dport 8080 redirect to :80"});
    if (ran.code != 0) GTEST_SKIP() << "this kernel can't redirect: " << ran.out;
  }
  const Fd service = listener(ours_, our_v4, 80);
  ban(their_v4, Scope::quiet);
  EXPECT_EQ(knock(theirs_, our_v4, 8080), Answer::accepted);
  ban(their_v4, Scope::full);
  EXPECT_EQ(knock(theirs_, our_v4, 8080), Answer::silence);
}

TEST_P(Packets, AnEstablishedInboundConnectionIsCut) {
  const Fd service = listener(ours_, our_v4, 80);
  const auto theirs = connect(theirs_, our_v4, 80);
  ASSERT_EQ(theirs.answer, Answer::accepted);
  const Fd ours = accept(service);
  EXPECT_TRUE(hears(theirs.socket, ours));
  ban(their_v4, Scope::full);
  EXPECT_FALSE(hears(theirs.socket, ours));
}

TEST_P(Packets, OfTheAllowedPassABanOfTheirNetwork) {
  const Fd service = listener(ours_, our_v4, 80);
  ban("198.51.100.0/24", Scope::full);
  ban(their_v4, Scope::quiet);
  ban("2001:db8:1::/64", Scope::full);
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::silence);
  stand({their_v4, "2001:db8:1::/48"});
  const uint64_t before = hits("198.51.100.0/24", Scope::full);
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::accepted);
  EXPECT_EQ(knock(theirs_, our_v4, 8083), Answer::refused);
  EXPECT_EQ(knock(theirs_, our_v6, 8083), Answer::refused);
  EXPECT_EQ(hits("198.51.100.0/24", Scope::full), before) << "what is allowed is not counted";
  stand({});
  EXPECT_EQ(knock(theirs_, our_v4, 80), Answer::silence);
}

TEST_P(Packets, LoopbackPassesABanOfOurselves) {
  const Fd service = listener(ours_, our_v4, 80);
  ban("192.0.2.0/24", Scope::full);
  ban("127.0.0.0/8", Scope::full);
  EXPECT_EQ(knock(ours_, our_v4, 80), Answer::accepted);
  EXPECT_EQ(knock(ours_, "127.0.0.1", 81), Answer::refused);
}

// With a ban of everything, link-local too, the neighbour must still be found: our SYN needs its link address.
TEST_P(Packets, ABannedNeighbourStaysOnTheLink) {
  ban("::/0", Scope::full);
  {
    const Inside here(ours_);
    run({"ip", "-6", "neigh", "flush", "dev", "cable"});
  }
  const Fd their_service = listener(theirs_, their_v6, 443);
  EXPECT_EQ(knock(ours_, their_v6, 443), Answer::accepted);
  EXPECT_EQ(knock(theirs_, our_v6, 80), Answer::silence);
}

}  // namespace
}  // namespace palang
