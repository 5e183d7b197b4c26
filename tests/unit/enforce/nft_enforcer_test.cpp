#include "enforce/nft_enforcer.hpp"

#include <poll.h>

#include "enforce/nft_batch.hpp"
#include "enforce/nft_elements.hpp"
#include "enforce/nft_monitor.hpp"
#include "enforce/nft_table.hpp"
#include "gate.hpp"

namespace palang {
namespace {

using namespace palang::testing;  // NOLINT: the words of the fixture
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

TEST_F(Gate, HoldsBansOfEveryLengthWithTheirEnds) {
  EXPECT_THAT(held(), IsEmpty());
  apply({added("192.0.2.1", Scope::quiet, 1h), added("198.51.100.0/24", Scope::full, 72h),
         added("203.0.113.128/25", Scope::quiet, 5min), added("2001:db8::1", Scope::full, 1h),
         added("2001:db8:1:2::/64", Scope::quiet, 24h), added("2001:db8:7::/48", Scope::quiet, 24h)});
  expect_held({ban("192.0.2.1", Scope::quiet, 1h), ban("198.51.100.0/24", Scope::full, 72h),
               ban("203.0.113.128/25", Scope::quiet, 5min), ban("2001:db8::1", Scope::full, 1h),
               ban("2001:db8:1:2::/64", Scope::quiet, 24h), ban("2001:db8:7::/48", Scope::quiet, 24h)});
}

TEST_F(Gate, RefreshesTheEndOfABanBothWays) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("192.0.2.2", Scope::quiet, 48h)});
  apply({change(ChangeKind::moved, ban("192.0.2.1", Scope::quiet, 48h)), added("192.0.2.2", Scope::quiet, 1h)});
  expect_held({ban("192.0.2.1", Scope::quiet, 48h), ban("192.0.2.2", Scope::quiet, 1h)});
}

TEST_F(Gate, MovesABanToItsOtherScope) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("192.0.2.2", Scope::full, 1h)});
  apply({change(ChangeKind::moved, ban("192.0.2.1", Scope::full, 2h))});
  apply({change(ChangeKind::moved, ban("192.0.2.2", Scope::quiet, 2h))});
  expect_held({ban("192.0.2.1", Scope::full, 2h), ban("192.0.2.2", Scope::quiet, 2h)});
}

TEST_F(Gate, RemovesWhatIsLiftedEvenIfItIsNotThere) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("192.0.2.2", Scope::quiet, 1h),
         added("192.0.2.3", Scope::full, 1h), added("192.0.2.4", Scope::quiet, 1h)});
  apply({change(ChangeKind::lifted, ban("192.0.2.1", Scope::quiet, 1h)),
         change(ChangeKind::absorbed, ban("192.0.2.2", Scope::quiet, 1h)),
         change(ChangeKind::evicted, ban("192.0.2.3", Scope::full, 1h)),
         change(ChangeKind::lifted, ban("192.0.2.99", Scope::quiet, 1h))});
  expect_held({ban("192.0.2.4", Scope::quiet, 1h)});
}

TEST_F(Gate, LastChangeOfAPrefixCounts) {
  apply({added("192.0.2.1", Scope::quiet, 1h), change(ChangeKind::lifted, ban("192.0.2.1", Scope::quiet, 1h)),
         added("192.0.2.2", Scope::full, 1h), added("192.0.2.2", Scope::quiet, 3h)});
  expect_held({ban("192.0.2.2", Scope::quiet, 3h)});
}

TEST_F(Gate, NeverHoldsABanWithoutEnd) {
  apply({added("192.0.2.1", Scope::quiet, 0s), added("192.0.2.2", Scope::quiet, -5s),
         added("192.0.2.3", Scope::quiet, Duration{1})});
  const Ban forever{*Prefix::parse("192.0.2.4"), Scope::quiet, WallTime::max() - 1s};
  apply({change(ChangeKind::added, forever)});
  const auto have = held();
  EXPECT_THAT(have, Not(Contains(Key("192.0.2.1"))));
  EXPECT_THAT(have, Not(Contains(Key("192.0.2.2"))));
  ASSERT_THAT(have, Contains(Key("192.0.2.4")));
  EXPECT_LE(have.at("192.0.2.4").until, now + one_day * 3650 + tolerance);
  Intended same = intended_of({forever});
  reconcile(same);
  expect_nothing_changed(reconcile(same));
}

// The kernel ends bans by its own clock: waiting for one is the only way to see it, here for a tenth of a second.
TEST_F(Gate, KernelEndsBansByItself) {
  apply({added("192.0.2.1", Scope::quiet, 100ms), added("192.0.2.2", Scope::quiet, 1h)});
  const uint32_t own[] = {enforcer_->port_id()};
  auto monitor = NftMonitor::open(own);
  ASSERT_TRUE(monitor);
  pollfd readable{monitor->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 1300), 0) << "an expiry and its collection must not look like a foreign change";
  EXPECT_THAT(held(), ElementsAre(Key("192.0.2.2")));
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  EXPECT_THAT(held(), ElementsAre(Key("192.0.2.1"), Key("192.0.2.2")));
}

TEST_F(Gate, ReconcilingTwiceChangesNothing) {
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
  expect_held({ban("192.0.2.1", Scope::quiet, 1h), ban("198.51.100.0/24", Scope::full, 72h),
               ban("2001:db8:1:2::/64", Scope::quiet, 24h)});
}

TEST_F(Gate, ReconcileTellsWhatItChanged) {
  reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::quiet, 1h),
                         ban("192.0.2.3", Scope::quiet, 1h), ban("192.0.2.4", Scope::quiet, 1h)}));
  const std::vector<Ban> wanted{ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::quiet, 9h),
                                ban("192.0.2.3", Scope::full, 1h), ban("192.0.2.5", Scope::quiet, 1h)};
  const ReconcileReport report = reconcile(intended_of(wanted));
  EXPECT_EQ(report.added, 1U);      // .5
  EXPECT_EQ(report.removed, 1U);    // .4
  EXPECT_EQ(report.refreshed, 2U);  // .2 ends later, .3 changed its scope
  expect_held(wanted);
}

TEST_F(Gate, KeepsOrRemovesWhatNobodyIntended) {
  apply({added("192.0.2.1", Scope::quiet, 1h), added("198.51.100.0/24", Scope::full, 1h)});
  const Intended intended = intended_of({ban("192.0.2.2", Scope::quiet, 1h)});
  EXPECT_EQ(reconcile(intended, Enforcer::Extra::keep).removed, 0U);
  EXPECT_EQ(held().size(), 3U);
  EXPECT_EQ(reconcile(intended, Enforcer::Extra::remove).removed, 2U);
  expect_held({ban("192.0.2.2", Scope::quiet, 1h)});
}

TEST_F(Gate, WritesLargeSetsAnewWithoutComparing) {
  Intended intended = intended_of({});
  for (uint32_t i = 0; i < 60'000; ++i)
    intended.bans->push_back({Prefix::of(Address::v4(0xc612'0000 + i)), Scope::quiet, now + 1h});
  EXPECT_EQ(reconcile(intended).added, 60'000U);
  intended.bans->back() = ban("203.0.113.0/24", Scope::full, 1h);
  const ReconcileReport second = reconcile(intended);
  EXPECT_EQ(second.rewritten, 59'999U);
  EXPECT_EQ(second.added, 1U);
  EXPECT_EQ(held().size(), 60'000U);
  const ReconcileReport third = reconcile(intended_of({ban("192.0.2.1", Scope::quiet, 1h)}));
  EXPECT_EQ(third.rewritten, 1U) << "a set found too large is written anew too";
  expect_held({ban("192.0.2.1", Scope::quiet, 1h)});
  apply({added("192.0.2.1", Scope::quiet, 2h)});
  expect_held({ban("192.0.2.1", Scope::quiet, 2h)});
}

TEST_F(Gate, ASuccessorThatWasNeverFinishedIsNotInForce) {
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  ASSERT_TRUE(socket);
  NftBatch batch(*socket);
  put_set(batch, {Role::quiet, true, 32, 1});
  ASSERT_TRUE(batch.commit());
  restart();
  apply({added("192.0.2.2", Scope::quiet, 1h)});
  const std::vector<Ban> both{ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.2", Scope::quiet, 1h)};
  expect_held(both);
  expect_nothing_changed(reconcile(intended_of(both)));
}

TEST_F(Gate, LiftsEverythingAndThenNothingIsFine) {
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  ASSERT_TRUE(enforcer_->lift_everything({}));
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_TRUE(enforcer_->lift_everything({}));
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  EXPECT_EQ(held().size(), 1U);
}

TEST_F(Gate, AsksForHitsOfBansThatMayBeMissing) {
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

TEST_F(Gate, ErrorsNameOperationAndSubject) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  ASSERT_TRUE(socket);
  apply({added("192.0.2.1", Scope::quiet, 1h)});
  NftBatch batch(*socket);
  const Prefix prefix = *Prefix::parse("198.51.100.0/24");
  const Element element = Element::of(prefix, now + 1h);
  put_new_elements(batch, SetName::of(Role::full, prefix), std::span(&element, 1), now);
  const auto refused = batch.commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "add 198.51.100.0/24 to nft set full4_24: no such file or directory (ENOENT)");
}

}  // namespace
}  // namespace palang
