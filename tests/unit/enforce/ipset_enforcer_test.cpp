#include "enforce/ipset_enforcer.hpp"

#include <poll.h>

#include <sstream>

#include "gate.hpp"

namespace palang {
namespace {

using namespace palang::testing;  // NOLINT: the words of the fixture
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

// With the admin's own tools at hand.
class IpsetGate : public GateOf<IpsetEnforcer> {
 protected:
  void SetUp() override {
    for (const char* const program : {"ipset", "iptables-save"})
      if (!has_program(program)) GTEST_SKIP() << "the program `" << program << "` is not installed";
    GateOf::SetUp();
  }
  static std::string tool(const std::vector<std::string>& words) {
    const auto ran = run(words);
    EXPECT_EQ(ran.code, 0) << words[0] << ": " << ran.out;
    return ran.out;
  }
  // Rules and counts of iptables without the times at which they were saved.
  static std::string saved(const std::string& program) {
    std::string kept;
    std::istringstream all(tool({program}));
    for (std::string line; std::getline(all, line);)
      if (!line.starts_with("#")) kept += line + "\n";
    return kept;
  }
  // Looks until it finds this; each look is one at another time for the enforcer, which spends little time on them.
  IpsetEnforcer::Damage look(uint64_t bans) {
    for (int tries = 0; tries < 100; ++tries) {
      const auto damage = enforcer_->look(bans);
      EXPECT_TRUE(damage) << damage.error().text;
      if (!damage || *damage != IpsetEnforcer::Damage::none) return damage.value_or(IpsetEnforcer::Damage::none);
      ::poll(nullptr, 0, 5);
    }
    return IpsetEnforcer::Damage::none;
  }
};

TEST_F(IpsetGate, HoldsBansOfEveryLengthWithTheirEnds) {
  EXPECT_THAT(held(), IsEmpty());
  apply({added("192.0.2.1", Scope::quiet, 1h), added("198.51.100.0/24", Scope::full, 72h),
         added("203.0.113.128/25", Scope::quiet, 5min), added("2001:db8::1", Scope::full, 1h),
         added("2001:db8:1:2::/64", Scope::quiet, 24h), added("2001:db8:7::/48", Scope::quiet, 24h)});
  expect_held({ban("192.0.2.1", Scope::quiet, 1h), ban("198.51.100.0/24", Scope::full, 72h),
               ban("203.0.113.128/25", Scope::quiet, 5min), ban("2001:db8::1", Scope::full, 1h),
               ban("2001:db8:1:2::/64", Scope::quiet, 24h), ban("2001:db8:7::/48", Scope::quiet, 24h)});
}

TEST_F(IpsetGate, IsReadableAsAdminsReadIt) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("198.51.100.0/24", Scope::full, 1h)});
  EXPECT_THAT(tool({"ipset", "test", "palang-quiet4", "192.0.2.1"}), HasSubstr("is in set"));
  EXPECT_THAT(tool({"ipset", "list", "palang-full4-net"}), HasSubstr("198.51.100.0/24 timeout 3"));
  EXPECT_THAT(tool({"ipset", "list", "palang-full4-net"}), HasSubstr(" packets 0 bytes 0"));
}

TEST_F(IpsetGate, TheWholeInternetIsItsTwoHalves) {
  apply({added("0.0.0.0/0", Scope::quiet, 1h), added("::/0", Scope::full, 1h)});
  expect_held({ban("0.0.0.0/1", Scope::quiet, 1h), ban("128.0.0.0/1", Scope::quiet, 1h), ban("::/1", Scope::full, 1h),
               ban("8000::/1", Scope::full, 1h)});
  const std::vector<Ban> asked{ban("0.0.0.0/0", Scope::quiet, 1h)};
  const auto hits = enforcer_->hits(asked);
  ASSERT_TRUE(hits && hits->size() == 1);
  EXPECT_EQ(hits->front().prefix, *Prefix::parse("0.0.0.0/0"));
  apply({change(ChangeKind::lifted, ban("0.0.0.0/0", Scope::quiet, 1h)),
         change(ChangeKind::lifted, ban("::/0", Scope::full, 1h))});
  EXPECT_THAT(held(), IsEmpty());
}

TEST_F(IpsetGate, RefreshesTheEndOfABanBothWaysAndMovesItsScope) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("192.0.2.2", Scope::quiet, 48h)});
  apply({change(ChangeKind::moved, ban("192.0.2.1", Scope::quiet, 48h)),
         change(ChangeKind::moved, ban("192.0.2.2", Scope::full, 1h))});
  expect_held({ban("192.0.2.1", Scope::quiet, 48h), ban("192.0.2.2", Scope::full, 1h)});
}

TEST_F(IpsetGate, LastChangeOfAPrefixCountsAndWhatIsNotThereIsLifted) {
  apply({added("192.0.2.1", Scope::quiet, 1h), change(ChangeKind::lifted, ban("192.0.2.1", Scope::quiet, 1h)),
         added("192.0.2.2", Scope::full, 1h), added("192.0.2.2", Scope::quiet, 3h),
         change(ChangeKind::absorbed, ban("192.0.2.99", Scope::quiet, 1h)),
         change(ChangeKind::ended, ban("192.0.2.2", Scope::quiet, 1h))});
  apply({added("192.0.2.3", Scope::quiet, 0s), added("192.0.2.4", Scope::quiet, -5s)});
  apply({added("192.0.2.2", Scope::quiet, 3h)});
  expect_held({ban("192.0.2.2", Scope::quiet, 3h)});
}

// ipset knows no longer time: what remains is told anew by a reconcile.
TEST_F(IpsetGate, NeverHoldsABanWithoutEnd) {
  const Ban forever{*Prefix::parse("192.0.2.4"), Scope::quiet, WallTime::max() - 1s};
  const Ban long_one = ban("192.0.2.5", Scope::quiet, one_day * 28);
  apply({change(ChangeKind::added, forever), change(ChangeKind::added, long_one)});
  const auto have = held();
  for (const char* const prefix : {"192.0.2.4", "192.0.2.5"}) {
    ASSERT_THAT(have, Contains(Key(prefix)));
    EXPECT_LE(std::chrono::abs(have.at(prefix).until - (now + longest_ipset_timeout)), tolerance);
  }
  reconcile(intended_of({forever, long_one}));
  expect_nothing_changed(reconcile(intended_of({forever, long_one})));
  apply({added("192.0.2.5", Scope::quiet, one_day * 10)});
  EXPECT_EQ(reconcile(intended_of({forever, long_one})).refreshed, 1U);
}

TEST(IpsetTimeout, IsNeverForeverAndNeverTooShort) {
  EXPECT_EQ(ipset_timeout(now - 1s, now), 1U);
  EXPECT_EQ(ipset_timeout(now + 1ms, now), 1U);
  EXPECT_EQ(ipset_timeout(now + 1001ms, now), 2U);
  EXPECT_EQ(ipset_timeout(now + one_day * 3650, now), 2'147'483U);
  EXPECT_EQ(ipset_timeout(WallTime::max(), now), 0U);
}

// The kernel ends bans by its own clock: waiting for one is the only way to see it.
TEST_F(IpsetGate, KernelEndsBansByItself) {
  apply({added("192.0.2.1", Scope::quiet, 100ms), added("192.0.2.2", Scope::quiet, 1h)});
  for (int tries = 0; tries < 50 && held().contains("192.0.2.1"); ++tries) ::poll(nullptr, 0, 100);
  EXPECT_THAT(held(), ElementsAre(Key("192.0.2.2")));
  EXPECT_EQ(look(1), IpsetEnforcer::Damage::none);
}

TEST_F(IpsetGate, ReconcilingTwiceChangesNothing) {
  Intended intended = intended_of({ban("192.0.2.1", Scope::quiet, 1h), ban("198.51.100.0/24", Scope::full, 72h),
                                   ban("2001:db8:1:2::/64", Scope::quiet, 24h), ban("192.0.2.9", Scope::quiet, 0s)});
  intended.allowed = {{*Prefix::parse("203.0.113.0/24")},
                      {*Prefix::parse("192.0.2.77"), now + 1h},
                      {*Prefix::parse("192.0.2.77")},
                      {*Prefix::parse("2001:db8:5::/48")}};
  intended.open.tcp.add(22);
  intended.open.udp.add(53);
  const ReconcileReport first = reconcile(intended);
  EXPECT_TRUE(first.rebuilt);
  EXPECT_EQ(first.added, 3U + 3U + 2U);
  expect_nothing_changed(reconcile(intended));
  restart();
  expect_nothing_changed(reconcile(intended));
  intended.bans.reset();
  expect_nothing_changed(reconcile(intended));
  EXPECT_EQ(held().size(), 3U);
  intended.open.tcp = {};
  intended.allowed.clear();
  EXPECT_EQ(reconcile(intended, Enforcer::Extra::keep).removed, 4U) << "what is open and allowed is never more";
}

TEST_F(IpsetGate, ReconcileTellsWhatItChanged) {
  reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::quiet, 1h),
                         ban("192.0.2.3", Scope::quiet, 1h), ban("192.0.2.4", Scope::quiet, 1h)}));
  const std::vector<Ban> wanted{ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::quiet, 9h),
                                ban("192.0.2.3", Scope::full, 1h), ban("192.0.2.5", Scope::quiet, 1h)};
  const ReconcileReport report = reconcile(intended_of(wanted));
  EXPECT_EQ(report.added, 1U);      // .5
  EXPECT_EQ(report.removed, 1U);    // .4
  EXPECT_EQ(report.refreshed, 2U);  // .2 ends later, .3 changed its scope
  expect_held(wanted);
  EXPECT_EQ(reconcile(intended_of({}), Enforcer::Extra::keep).removed, 0U);
  EXPECT_EQ(held().size(), 4U);
}

TEST_F(IpsetGate, ManyAreFilledBesideAndTakeTheirPlace) {
  Intended intended = intended_of({});
  for (uint32_t i = 0; i < 60'000; ++i)
    intended.bans->push_back({Prefix::of(Address::v4(0xc612'0000 + i)), Scope::quiet, now + 1h});
  EXPECT_EQ(reconcile(intended).rewritten, 60'000U);
  expect_nothing_changed(reconcile(intended));
  EXPECT_EQ(held().size(), 60'000U);
  EXPECT_THAT(tool({"ipset", "list", "-n"}), Not(HasSubstr("-next")));
  EXPECT_EQ(look(60'000), IpsetEnforcer::Damage::none);
  EXPECT_EQ(reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h)})).removed, 60'000U);
}

// Somebody's set of our name, with another shape, whether it could change places with ours or not.
TEST_F(IpsetGate, SetsOfAnotherMakeAreReplaced) {
  for (const std::vector<std::string>& make : {std::vector<std::string>{"hash:ip", "maxelem", "10"},
                                               {"hash:ip", "timeout", "60"},
                                               {"bitmap:port", "range", "0-100"}}) {
    std::vector<std::string> command{"ipset", "create", "palang-quiet4"};
    command.insert(command.end(), make.begin(), make.end());
    tool(command);
    EXPECT_TRUE(reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h)})).rebuilt);
    expect_held({ban("192.0.2.1", Scope::quiet, 1h)});
    expect_nothing_changed(reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h)})));
    ASSERT_TRUE(enforcer_->lift_everything({}));
  }
}

TEST_F(IpsetGate, LiftsEverythingAndThenNothingIsFine) {
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  ASSERT_TRUE(enforcer_->lift_everything({}));
  EXPECT_EQ(tool({"ipset", "list", "-n"}), "");
  EXPECT_THAT(tool({"iptables-save"}), Not(HasSubstr("PALANG")));
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_TRUE(enforcer_->lift_everything({}));
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  EXPECT_EQ(held().size(), 1U);
  EXPECT_THAT(tool({"iptables-save"}), HasSubstr("-A PREROUTING -j PALANG-FULL"));
}

TEST_F(IpsetGate, AsksForHitsOfBansThatMayBeMissing) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("192.0.2.3", Scope::full, 1h)});
  const std::vector<Ban> asked{ban("192.0.2.9", Scope::quiet, 1h), ban("192.0.2.1", Scope::quiet, 1h),
                               ban("192.0.2.2", Scope::full, 1h), ban("192.0.2.3", Scope::full, 1h),
                               ban("2001:db8::1", Scope::full, 1h)};
  const auto hits = enforcer_->hits(asked);
  ASSERT_TRUE(hits) << hits.error().text;
  std::map<std::string, uint64_t> by_prefix;
  for (const Hits& hit : *hits) by_prefix[hit.prefix.text()] = hit.packets;
  EXPECT_EQ(by_prefix, (std::map<std::string, uint64_t>{{"192.0.2.1", 0}, {"192.0.2.3", 0}}));
}

TEST_F(IpsetGate, NoticesWhatOthersDo) {
  const Intended intended = intended_of({ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::full, 1h)});
  using Damage = IpsetEnforcer::Damage;
  struct Case {
    std::vector<std::string> ruin;
    Damage damage;
  };
  for (const Case& one : {Case{{"ipset", "flush", "palang-quiet4"}, Damage::everything},
                          Case{{"ipset", "del", "palang-full4", "192.0.2.2"}, Damage::everything},
                          Case{{"iptables", "-t", "mangle", "-F"}, Damage::structure},
                          Case{{"ip6tables", "-t", "mangle", "-F", "PALANG-QUIET"}, Damage::structure}}) {
    reconcile(intended);
    EXPECT_EQ(look(2), Damage::none);
    tool(one.ruin);
    EXPECT_EQ(look(2), one.damage) << one.ruin[1];
    reconcile(intended);
    EXPECT_EQ(look(2), Damage::none);
    // Not when they end: the kernel's clock goes on meanwhile, the test's does not.
    EXPECT_THAT(held(), ElementsAre(Key("192.0.2.1"), Key("192.0.2.2")));
  }
  tool({"iptables", "-t", "mangle", "-F"});
  tool({"ip6tables", "-t", "mangle", "-F"});
  tool({"ipset", "destroy", "palang-quiet4"});
  EXPECT_EQ(look(2), Damage::everything);
  apply({added("192.0.2.3", Scope::quiet, 1h)});
  EXPECT_EQ(held().size(), 2U) << "the set is there again, and what else it held a reconcile brings back";
}

TEST_F(IpsetGate, AForeignRuleInOurChainsIsRemovedAndADoubledJumpToo) {
  const Intended intended = intended_of({});
  reconcile(intended);
  const std::string whole = saved("iptables-save");
  tool({"iptables", "-t", "mangle", "-I", "PALANG-FULL", "-j", "ACCEPT"});
  tool({"iptables", "-t", "mangle", "-A", "PREROUTING", "-j", "PALANG-FULL"});
  tool({"iptables", "-t", "mangle", "-D", "INPUT", "-j", "PALANG-QUIET"});
  EXPECT_TRUE(reconcile(intended).rebuilt);
  EXPECT_EQ(saved("iptables-save"), whole);
}

// Promise 6, for both kinds of iptables.
TEST_F(IpsetGate, LeavesRulesAndSetsOfOthersAsTheyAre) {
  tool({"ipset", "create", "blocklist", "hash:ip"});
  tool({"ipset", "add", "blocklist", "192.0.2.200"});
  for (const std::string kind : {"nft", "legacy"}) {
    if (!has_program("iptables-" + kind)) continue;
    const std::string iptables = "iptables-" + kind;
    tool({iptables, "-N", "DOCKER-USER"});
    tool({iptables, "-A", "FORWARD", "-s", "172.17.0.0/16", "-j", "DOCKER-USER"});
    tool({iptables, "-A", "INPUT", "-m", "set", "--match-set", "blocklist", "src", "-j", "DROP"});
    tool({iptables, "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "-j", "MARK", "--set-mark", "7"});
    tool({iptables, "-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j", "MASQUERADE"});
    const std::string before = saved(iptables + "-save");
    const std::string blocklist = tool({"ipset", "list", "blocklist"});
    restart();
    EXPECT_EQ(enforcer_->uses_legacy_iptables(), kind == "legacy");
    reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h)}));
    std::string others;
    std::istringstream during(saved(iptables + "-save"));
    for (std::string line; std::getline(during, line);)
      if (line.find("PALANG-") == std::string::npos) others += line + "\n";
    EXPECT_EQ(others, before) << kind;
    ASSERT_TRUE(enforcer_->lift_everything({}));
    EXPECT_EQ(saved(iptables + "-save"), before) << kind;
    EXPECT_EQ(tool({"ipset", "list", "blocklist"}), blocklist);
    for (const char* const table : {"filter", "mangle", "nat"}) {
      tool({iptables, "-t", table, "-F"});
      tool({iptables, "-t", table, "-X"});
    }
  }
}

TEST_F(IpsetGate, TheOtherKindOfIptablesIsLeftBehindWithoutTraces) {
  if (!has_program("iptables-legacy") || !has_program("iptables-nft")) GTEST_SKIP() << "needs both kinds of iptables";
  tool({"iptables-legacy", "-A", "FORWARD", "-j", "ACCEPT"});
  restart();
  ASSERT_TRUE(enforcer_->uses_legacy_iptables());
  reconcile(intended_of({}));
  tool({"iptables-legacy", "-F", "FORWARD"});
  tool({"iptables-nft", "-A", "FORWARD", "-j", "ACCEPT"});
  restart();
  ASSERT_FALSE(enforcer_->uses_legacy_iptables());
  reconcile(intended_of({}));
  EXPECT_THAT(tool({"iptables-legacy-save"}), Not(HasSubstr("PALANG")));
  EXPECT_THAT(tool({"iptables-nft-save"}), HasSubstr("-A INPUT -j PALANG-QUIET"));
}

}  // namespace
}  // namespace palang
