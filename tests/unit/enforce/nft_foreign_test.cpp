// What other programs do beside our table, and to it.

#include "gate.hpp"

namespace palang {
namespace {

using namespace palang::testing;  // NOLINT: the words of the fixture
using ::testing::HasSubstr;

TEST_F(GateAndNft, LeavesOtherTablesAsTheyAre) {
  nft(
      {"add table inet other; add set inet other full4_24 { type ipv4_addr; flags interval; }; "
       "add element inet other full4_24 { 192.0.2.0/24 }; add chain inet other gate_full { type filter hook input "
       "priority 0; policy accept; }; add rule inet other gate_full ip saddr @full4_24 counter drop"});
  const std::string before = nft({"-a", "list", "ruleset"});
  Intended intended = intended_of({ban("192.0.2.0/24", Scope::full, 1h)});
  intended.open.tcp.add(22);
  reconcile(intended);
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  EXPECT_EQ(nft({"-a", "list", "table", "inet", "other"}), before);
  ASSERT_TRUE(enforcer_->lift_everything({}));
  EXPECT_EQ(nft({"-a", "list", "ruleset"}), before);
}

TEST_F(GateAndNft, IsReadableAsAdminsReadIt) {
  Intended intended = intended_of({ban("192.0.2.0/24", Scope::full, 1h), ban("2001:db8::/64", Scope::quiet, 1h)});
  intended.allowed = {{*Prefix::parse("203.0.113.7")}};
  intended.open.tcp.add(22);
  reconcile(intended);
  const std::string text = nft({"list", "table", "inet", "palang"});
  for (const char* const part :
       {"type filter hook prerouting priority -190; policy accept;",
        "type filter hook input priority -190; policy accept;", "ct direction reply accept", "iif \"lo\" accept",
        "icmpv6 type 133-137 accept", "ip saddr @allow4_32 accept", "ip saddr & 255.255.255.0 == @full4_24 drop",
        "ip6 saddr & ffff:ffff:ffff:ffff:: == @quiet6_64 drop", "tcp dport @open_tcp accept",
        "udp dport @open_udp accept"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(GateAndNft, RebuildsATableOfAnotherMake) {
  nft(
      {"add table inet palang; add set inet palang full4_24 { type ipv4_addr; flags interval; }; "
       "add chain inet palang gate_full { type filter hook input priority 5; policy drop; }"});
  const Intended intended = intended_of({ban("192.0.2.0/24", Scope::full, 1h)});
  EXPECT_TRUE(reconcile(intended).rebuilt);
  expect_held(*intended.bans);
  expect_nothing_changed(reconcile(intended));
}

TEST_F(GateAndNft, UndoesWhatOthersDidToItsTable) {
  const Intended intended = intended_of({ban("192.0.2.0/24", Scope::full, 1h), ban("192.0.2.1", Scope::quiet, 1h)});
  reconcile(intended);
  const auto rules = [] { return nft({"-t", "list", "table", "inet", "palang"}); };  // without elements
  const std::string before = rules();
  nft(
      {"add chain inet palang theirs; add set inet palang friends { type ipv4_addr; }; "
       "insert rule inet palang gate_full ip saddr @friends jump theirs; "
       "delete element inet palang full4_24 { 192.0.2.0 }; "
       "add element inet palang quiet4_32 { 192.0.2.50 timeout 1h }; "
       "chain inet palang gate_quiet { policy drop; }"});
  const ReconcileReport report = reconcile(intended);
  EXPECT_EQ(report.added, 1U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_FALSE(report.rebuilt);
  EXPECT_EQ(rules(), before);
  nft({"add table inet palang { flags dormant; }"});
  reconcile(intended);
  EXPECT_EQ(rules(), before);
  expect_held(*intended.bans);
}

TEST_F(GateAndNft, BuildsItsTableWhenABanFindsItGone) {
  Intended intended = intended_of({ban("192.0.2.1", Scope::quiet, 1h)});
  intended.allowed = {{*Prefix::parse("203.0.113.7")}};
  intended.open.tcp.add(22);
  reconcile(intended);
  nft({"flush", "ruleset"});
  apply({added("198.51.100.0/24", Scope::quiet, 1h)});
  expect_held({ban("198.51.100.0/24", Scope::quiet, 1h)});
  const std::string text = nft({"list", "table", "inet", "palang"});
  EXPECT_THAT(text, HasSubstr("203.0.113.7"));
  EXPECT_THAT(text, HasSubstr("elements = { 22 }"));
}

}  // namespace
}  // namespace palang
