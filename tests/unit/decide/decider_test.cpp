#include "decide/decider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::noon;
using make::prefix;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

class DeciderTest : public testing::Test {
 protected:
  explicit DeciderTest(const BanSettings& settings = {}, Decider::Looks looks = Decider::Looks::none)
      : decider_(settings, HashSeed{}, looks) {}

  // The decision about an offender that is not banned.
  Decision falls(std::string_view offender, WallTime at, Proof proof = Proof::forgeable) {
    advance(at);
    Finding finding;
    finding.at = at;
    finding.offender = address(offender);
    finding.proof = proof;
    changes_.clear();
    decider_.decide(finding, changes_);
    for (const Change& change : changes_)
      if (change.kind == ChangeKind::added) return change.decision;
    ADD_FAILURE() << "no decision about " << offender;
    return {};
  }
  void advance(WallTime now) {
    changes_.clear();
    looks_.clear();
    decider_.advance(now, changes_, looks_);
  }
  ActiveBans::Slot slot_of(std::string_view text) { return decider_.active().find(prefix(text)); }
  void knock(std::string_view banned, WallTime at) { decider_.knock(slot_of(banned), at); }
  WallTime end_of(std::string_view banned) { return decider_.active().ban(slot_of(banned)).until; }
  bool is_banned(std::string_view source, WallTime now) {
    return decider_.active().covering(address(source), now) != ActiveBans::none;
  }

  Decider decider_;
  std::vector<Change> changes_;
  std::vector<ActiveBans::Slot> looks_;
};

TEST_F(DeciderTest, ABanLastsADayDoubledUpTo28) {
  WallTime at = noon;
  for (const int days : {1, 2, 4, 8, 16, 28, 28, 28}) {
    const Decision decision = falls("192.0.2.1", at);
    EXPECT_EQ(decision.until - decision.from, one_day * days);
    at = decision.until;
    advance(at);
    EXPECT_THAT(changes_, ElementsAre(Field(&Change::kind, ChangeKind::ended)));
    EXPECT_EQ(changes_[0].at, at) << "on time";
  }
}

TEST_F(DeciderTest, ABanEndsAtItsMomentAndNotBefore) {
  falls("192.0.2.1", noon);
  EXPECT_TRUE(is_banned("192.0.2.1", noon + one_day - 1us));
  EXPECT_FALSE(is_banned("192.0.2.1", noon + one_day));
  EXPECT_FALSE(is_banned("192.0.2.2", noon));
}

TEST_F(DeciderTest, OffencesAreRemembered90Days) {
  falls("192.0.2.1", noon);
  EXPECT_EQ(falls("192.0.2.1", noon + one_day * 91 - 1s).repeat, 1);
  EXPECT_EQ(falls("192.0.2.1", noon + one_day * 91 + one_day * 92).repeat, 0);
}

TEST_F(DeciderTest, AKnockMovesTheEndTwoDaysDoubledAtMost28) {
  WallTime at = noon;
  for (const int days : {2, 4, 8, 16, 28, 28, 28}) {
    falls("192.0.2.1", at);
    const WallTime last_knock = end_of("192.0.2.1") - 1s;
    knock("192.0.2.1", last_knock);
    EXPECT_EQ(end_of("192.0.2.1"), last_knock + one_day * days);
    at = end_of("192.0.2.1");
    EXPECT_TRUE(is_banned("192.0.2.1", at - 1us));
  }
}

TEST_F(DeciderTest, AnEarlyKnockMovesNothingBack) {
  falls("192.0.2.1", noon);
  knock("192.0.2.1", noon + 12h);
  EXPECT_EQ(end_of("192.0.2.1"), noon + 12h + one_day * 2);
  knock("192.0.2.1", noon + 1h);
  EXPECT_EQ(end_of("192.0.2.1"), noon + 12h + one_day * 2) << "a line that comes late";
}

TEST_F(DeciderTest, QuietEndsABan) {
  falls("192.0.2.1", noon);
  WallTime last = noon;
  for (int day = 0; day < 100; ++day) knock("192.0.2.1", last = noon + one_day * day);
  advance(last + one_day * 2 - 1us);
  EXPECT_TRUE(is_banned("192.0.2.1", last + one_day * 2 - 1us));
  advance(last + one_day * 2);
  EXPECT_THAT(changes_, ElementsAre(Field(&Change::kind, ChangeKind::ended)));
  EXPECT_EQ(decider_.active().size(), 0U);
}

TEST_F(DeciderTest, Promise1KnocksNeverHoldAFullBanPast28DaysAfterProof) {
  const Decision decision = falls("192.0.2.1", noon, Proof::handshake);
  EXPECT_EQ(decision.scope, Scope::full);
  for (int hour = 0; hour < 40 * 24; ++hour) {
    const WallTime at = noon + std::chrono::hours{hour};
    advance(at);
    if (slot_of("192.0.2.1") != ActiveBans::none) knock("192.0.2.1", at);
  }
  EXPECT_FALSE(is_banned("192.0.2.1", noon + one_day * 28)) << "packets can be forged";
  EXPECT_EQ(decider_.active().size(), 0U);
}

TEST_F(DeciderTest, Promise1ForgeableEvidenceIsQuiet) {
  EXPECT_EQ(falls("192.0.2.1", noon, Proof::forgeable).scope, Scope::quiet);
  EXPECT_EQ(falls("192.0.2.2", noon, Proof::handshake).scope, Scope::full);
  EXPECT_EQ(falls("192.0.2.3", noon, Proof::application).scope, Scope::full);
  const Decision network = falls("192.0.2.4", noon, Proof::forgeable);
  EXPECT_EQ(network.prefix, prefix("192.0.2.0/24"));
  EXPECT_EQ(network.scope, Scope::quiet) << "also where others of the network were proven";
}

TEST_F(DeciderTest, ANetworkAbsorbsWhatItCovers) {
  for (const char* offender : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1"}) falls(offender, noon);
  EXPECT_EQ(falls("192.0.2.4", noon).prefix, prefix("192.0.2.0/24"));
  EXPECT_THAT(changes_, SizeIs(4));
  EXPECT_EQ(std::ranges::count(changes_, ChangeKind::absorbed, &Change::kind), 3);
  EXPECT_EQ(decider_.active().size(), 2U);
  EXPECT_TRUE(is_banned("192.0.2.77", noon));
}

TEST_F(DeciderTest, ANetworkLeavesWhatLastsLongerOrDropsMore) {
  falls("192.0.2.1", noon, Proof::handshake);
  falls("192.0.2.2", noon);
  knock("192.0.2.2", noon + 12h);
  falls("192.0.2.3", noon);
  falls("192.0.2.4", noon + 1h);
  EXPECT_NE(slot_of("192.0.2.1"), ActiveBans::none) << "full";
  EXPECT_NE(slot_of("192.0.2.2"), ActiveBans::none) << "longer";
  EXPECT_EQ(slot_of("192.0.2.3"), ActiveBans::none);
  const auto found = decider_.active().covering(address("192.0.2.1"), noon + 1h);
  EXPECT_EQ(decider_.active().prefix(found), prefix("192.0.2.1"));
}

TEST_F(DeciderTest, Ipv6NetworksAbsorbToo) {
  for (const char* offender : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) falls(offender, noon);
  EXPECT_EQ(falls("2001:db8::4", noon).prefix, prefix("2001:db8::/64"));
  EXPECT_EQ(decider_.active().size(), 1U);
}

TEST_F(DeciderTest, IdsAscend) {
  decider_.continue_after(41);
  EXPECT_EQ(falls("192.0.2.1", noon).id, 42U);
  EXPECT_EQ(falls("192.0.2.2", noon).id, 43U);
}

TEST_F(DeciderTest, AdminsBansAreTakenAsTheyAre) {
  Decision order;
  order.prefix = prefix("198.51.100.0/22");
  order.from = order.proven_at = noon;
  order.until = noon + one_day * 400;
  order.rule = Rule::manual;
  order.origin = Origin::manual;
  order.scope = Scope::full;
  const Decision made = decider_.impose(order, "a botnet", changes_);
  EXPECT_EQ(made.until, order.until);
  EXPECT_EQ(changes_.back().note, "a botnet");
  knock("198.51.100.0/22", noon + one_day * 399);
  EXPECT_EQ(end_of("198.51.100.0/22"), order.until) << "it ends when he said";
  advance(noon + one_day * 400);
  EXPECT_THAT(changes_, ElementsAre(Field(&Change::kind, ChangeKind::ended)));
}

TEST_F(DeciderTest, LiftTakesBackWhatLiesInside) {
  for (const char* offender : {"192.0.2.1", "192.0.2.2", "198.51.100.1"}) falls(offender, noon);
  changes_.clear();
  EXPECT_EQ(decider_.lift(prefix("192.0.2.9"), noon, changes_), 0U);
  EXPECT_EQ(decider_.lift(prefix("192.0.2.1"), noon, changes_), 1U);
  EXPECT_EQ(decider_.lift(prefix("192.0.2.0/24"), noon, changes_), 1U);
  EXPECT_EQ(decider_.lift_all(noon, changes_), 1U);
  EXPECT_THAT(changes_, SizeIs(3));
  EXPECT_THAT(changes_, Each(Field(&Change::kind, ChangeKind::lifted)));
  advance(noon + one_day * 100);
  EXPECT_THAT(changes_, IsEmpty()) << "what is lifted doesn't end again";
}

TEST_F(DeciderTest, Promise3ARestartChangesNoEndAndNoCount) {
  WallTime at = noon;
  for (int i = 0; i < 3; ++i) at = falls("192.0.2.1", at).until;
  falls("192.0.2.2", at);
  falls("192.0.2.3", at);
  Decider restarted(BanSettings{}, HashSeed::random(), Decider::Looks::none);
  std::vector<Decision> active;
  decider_.active().for_each([&](ActiveBans::Slot slot) { active.push_back(decider_.active().decision(slot)); });
  const std::vector<PastDecision> past{{prefix("192.0.2.1"), at - one_day * 4, at, Rule::blocked, 2},
                                       {prefix("192.0.2.9"), at, at, Rule::manual, 0},
                                       {prefix("192.0.2.8"), at, at, Rule::recovered, 0},
                                       {prefix("192.0.2.2"), at, at + one_day, Rule::blocked, 0},
                                       {prefix("192.0.2.3"), at, at + one_day, Rule::blocked, 0}};
  restarted.restore_past(past);
  restarted.restore_active(active, at);
  for (Decider* decider : {&decider_, &restarted}) {
    const auto found = decider->active().find(prefix("192.0.2.2"));
    ASSERT_NE(found, ActiveBans::none);
    EXPECT_EQ(decider->active().ban(found).until, at + one_day);
    EXPECT_EQ(decider->length_for(prefix("192.0.2.1"), at), one_day * 8);
    std::vector<Change> changes;
    decider->decide({.at = at, .offender = address("192.0.2.1")}, changes);
    EXPECT_EQ(changes.back().decision.prefix, prefix("192.0.2.1")) << "two of its network and itself are three";
    changes.clear();
    decider->decide({.at = at, .offender = address("192.0.2.4")}, changes);
    EXPECT_EQ(changes.back().decision.prefix, prefix("192.0.2.0/24"));
  }
}

class BudgetTest : public DeciderTest {
 protected:
  BudgetTest() : DeciderTest(room_for_three()) {}
  static BanSettings room_for_three() {
    BanSettings settings;
    settings.budget = 3;
    return settings;
  }
};

TEST_F(BudgetTest, Promise5TheLeastRecentlySeenUnprovenGoFirst) {
  falls("192.0.2.1", noon, Proof::handshake);
  falls("198.51.100.1", noon + 1s);
  falls("203.0.113.1", noon + 2s);
  knock("198.51.100.1", noon + 3s);
  falls("192.0.2.200", noon + 4s);
  EXPECT_EQ(slot_of("203.0.113.1"), ActiveBans::none) << "unproven, and not seen since";
  falls("192.0.2.201", noon + 5s);
  EXPECT_EQ(slot_of("198.51.100.1"), ActiveBans::none);
  EXPECT_NE(slot_of("192.0.2.1"), ActiveBans::none) << "proven, though seen long ago";
  EXPECT_EQ(decider_.active().size(), 3U);
  EXPECT_EQ(decider_.evicted(), 2U);
}

TEST_F(BudgetTest, Promise5AFloodOfForgedSourcesLeavesNothingBehind) {
  for (uint32_t i = 0; i < 50'000; ++i) {
    changes_.clear();
    const WallTime at = noon + Duration{1ms} * i;
    decider_.decide({.at = at, .offender = Address::v4(0xc6120000 + i * 256)}, changes_);
    ASSERT_LE(decider_.active().size(), 3U);
    ASSERT_LE(decider_.active().queued(), 10'000U) << "bans that are gone must not stay on the agenda";
  }
  EXPECT_EQ(decider_.evicted(), 49'997U);
  EXPECT_GT(decider_.forgotten(), 0U);
  advance(noon + one_day * 2);
  EXPECT_EQ(decider_.active().size(), 0U) << "those that stayed still end on time";
}

TEST_F(BudgetTest, Promise5TheQueueToGoStaysShortAfterTheFlood) {
  for (uint32_t i = 0; i < 4; ++i) falls("198.18." + std::to_string(i) + ".1", noon);
  EXPECT_EQ(decider_.evicted(), 1U);
  WallTime at = noon;
  for (uint32_t i = 0; i < 6000; ++i) {
    at += one_day * 2;
    advance(at);
    ASSERT_LE(decider_.active().size(), 1U);
    decider_.decide({.at = at, .offender = Address::v4(0xc6120000 + i * 256)}, changes_);
    ASSERT_LE(decider_.active().queued(), 5000U);
  }
}

class LooksTest : public DeciderTest {
 protected:
  LooksTest() : DeciderTest({}, Decider::Looks::kernel_counters) {}
};

TEST_F(LooksTest, Promise7TheKernelIsToldANewEndBeforeTheOldOne) {
  falls("192.0.2.1", noon);
  bool told_in_time = false;
  for (Duration passed = 0s; passed < one_day; passed += 10s) {
    advance(noon + passed);
    for (const auto slot : looks_) {
      const bool last_one = passed > one_day - 2min;
      decider_.look(slot, noon + passed, last_one ? 7 : 0, changes_);
    }
    for (const Change& change : changes_) told_in_time |= change.kind == ChangeKind::moved;
  }
  EXPECT_TRUE(told_in_time);
  EXPECT_GT(end_of("192.0.2.1"), noon + one_day * 2);
  EXPECT_EQ(decider_.active().ban(slot_of("192.0.2.1")).hits, 7U);
}

TEST_F(LooksTest, CountersThatStandStillMoveNothing) {
  falls("192.0.2.1", noon);
  const auto slot = slot_of("192.0.2.1");
  changes_.clear();
  decider_.look(slot, noon + 1h, 5, changes_);
  EXPECT_THAT(changes_, ElementsAre(Field(&Change::kind, ChangeKind::moved)));
  EXPECT_EQ(end_of("192.0.2.1"), noon + 1h + one_day * 2);
  changes_.clear();
  decider_.look(slot, noon + 2h, 0, changes_);  // the element was written anew with its new end
  EXPECT_THAT(changes_, IsEmpty());
  decider_.look(slot, noon + 3h, 2, changes_);
  EXPECT_EQ(end_of("192.0.2.1"), noon + 3h + one_day * 2);
  EXPECT_EQ(decider_.active().ban(slot).hits, 7U);
}

class ClassicTest : public DeciderTest {
 protected:
  ClassicTest() : DeciderTest(classic_profile()) {}
};

TEST_F(ClassicTest, IsThe24For3DaysEverywhere) {
  WallTime at = noon;
  for (int i = 0; i < 5; ++i) {
    const Decision decision = falls("192.0.2.77", at);
    EXPECT_EQ(decision.prefix, prefix("192.0.2.0/24"));
    EXPECT_EQ(decision.until, at + one_day * 3) << "no doubling";
    EXPECT_EQ(decision.scope, Scope::full);
    knock("192.0.2.0/24", at + one_day * 2);
    EXPECT_EQ(end_of("192.0.2.0/24"), at + one_day * 3) << "no extension";
    at = decision.until;
  }
  EXPECT_EQ(falls("2001:db8::1", at).prefix, prefix("2001:db8::/64"));
}

}  // namespace
}  // namespace palang
