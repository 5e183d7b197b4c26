#include "engine/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::noon;
using make::prefix;
using make::refused;
using testing::IsEmpty;
using testing::SizeIs;

PolicySettings with_allowed(std::string_view text) {
  PolicySettings policy;
  policy.allow.push_back(prefix(text));
  return policy;
}

PolicySettings classic() {
  PolicySettings policy;
  policy.ban = classic_profile();
  return policy;
}

class JudgeTest : public testing::Test {
 protected:
  explicit JudgeTest(const PolicySettings& policy = {}) : judge_(policy, HashSeed{}, Decider::Looks::none) {}

  Verdict observe(const Event& event, WallTime now) {
    changes_.clear();
    judge_.decider().advance(now, changes_, looks_);
    return judge_.observe(event, now, changes_);
  }
  Verdict observe(const Event& event) { return observe(event, event.at); }

  Judge judge_;
  std::vector<Change> changes_;
  std::vector<ActiveBans::Slot> looks_;
};

TEST_F(JudgeTest, StoppedEventsAreKnocksAndUnseenByTheDetectors) {
  EXPECT_EQ(observe(refused("192.0.2.1", noon)), Verdict::decided);
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 1h)), Verdict::stopped);
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 1h + one_day * 2 - 1us)), Verdict::stopped)
      << "the knock moved the end";
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 1h + one_day * 4)), Verdict::decided);
  EXPECT_EQ(judge_.count(Verdict::decided), 2U);
  EXPECT_EQ(judge_.count(Verdict::stopped), 2U);
}

TEST_F(JudgeTest, WhatWasCountedAlreadyIsAnOffenceAtOnce) {
  PolicySettings patient;
  patient.detect.blocked.after = 100;
  judge_.use(patient);
  EXPECT_EQ(observe(refused("192.0.2.1", noon)), Verdict::watched);
  Event tripped = refused("192.0.2.2", noon);
  tripped.counted = 2;
  EXPECT_EQ(observe(tripped), Verdict::decided);
  ASSERT_THAT(changes_, SizeIs(1));
  EXPECT_EQ(changes_[0].decision.rule, Rule::tripwire);
  EXPECT_EQ(changes_[0].decision.scope, Scope::quiet);
  EXPECT_EQ(reason_text(changes_[0].decision), "sent 2 packets to ports on which nobody listens, last tcp/8083");
  tripped.proof = Proof::handshake;
  EXPECT_EQ(observe(tripped), Verdict::decided) << "now it is proven";
  EXPECT_EQ(changes_.back().decision.scope, Scope::full);
}

TEST_F(JudgeTest, TheExemptTripNothing) {
  judge_.exemptions().allow(prefix("192.0.2.0/24"), WallTime::max());
  Event tripped = refused("192.0.2.2", noon);
  tripped.counted = 2;
  EXPECT_EQ(observe(tripped), Verdict::exempt);
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(JudgeTest, Promise1ForgedEvidenceGivesQuietDecision) {
  for (const char* source : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8::1"}) {
    observe(refused(source, noon));
    ASSERT_FALSE(changes_.empty());
    EXPECT_EQ(changes_.back().decision.scope, Scope::quiet);
  }
}

TEST_F(JudgeTest, Promise1ProofTurnsAQuietBanIntoAFullOne) {
  observe(refused("192.0.2.1", noon));
  Event proven = refused("192.0.2.1", noon + 1h);
  proven.proof = Proof::application;
  EXPECT_EQ(observe(proven), Verdict::decided);
  EXPECT_EQ(changes_.back().decision.scope, Scope::full);
  EXPECT_EQ(observe(proven), Verdict::stopped) << "more can't be done";
  EXPECT_EQ(judge_.decider().active().size(), 1U);
}

TEST(Promise1, OnlyAlwaysFullMakesForgeableEvidenceFull) {
  PolicySettings in_so_many_words;
  in_so_many_words.ban.always_full = true;
  for (const PolicySettings& policy : {in_so_many_words, classic()}) {
    Judge judge(policy, HashSeed{}, Decider::Looks::none);
    std::vector<Change> changes;
    judge.observe(refused("192.0.2.1", noon), noon, changes);
    EXPECT_EQ(changes.back().decision.scope, Scope::full);
  }
}

class AllowedTest : public JudgeTest {
 protected:
  AllowedTest() : JudgeTest(with_allowed("192.0.2.0/30")) {}
};

TEST_F(AllowedTest, Promise2IsNeitherBannedNorCounted) {
  for (int i = 0; i < 50; ++i)
    for (const char* source : {"192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3", "::ffff:192.0.2.1"})
      EXPECT_EQ(observe(refused(source, noon + Duration{1s} * i, static_cast<uint16_t>(i))), Verdict::exempt);
  EXPECT_EQ(judge_.decider().active().size(), 0U);
  EXPECT_EQ(judge_.detectors().tracked(), 0U);
  observe(refused("192.0.2.200", noon + 1h));
  EXPECT_EQ(changes_.back().decision.prefix, prefix("192.0.2.200")) << "the allowed widen nothing";
}

TEST_F(AllowedTest, Promise2HoldsUnderABannedNetwork) {
  for (int host = 101; host <= 104; ++host) observe(refused("192.0.2." + std::to_string(host), noon));
  EXPECT_EQ(changes_.back().decision.prefix, prefix("192.0.2.0/24"));
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 1s)), Verdict::exempt);
  EXPECT_EQ(judge_.count(Verdict::stopped), 0U);
}

TEST(Promise2, HoldsForAnyProof) {
  Judge judge(with_allowed("2001:db8::/64"), HashSeed{}, Decider::Looks::none);
  std::vector<Change> changes;
  Event proven = refused("2001:db8::1", noon);
  proven.proof = Proof::application;
  EXPECT_EQ(judge.observe(proven, noon, changes), Verdict::exempt);
  EXPECT_THAT(changes, IsEmpty());
}

TEST_F(JudgeTest, Promise9OldNewsChangesNothing) {
  EXPECT_EQ(observe(refused("192.0.2.1", noon - one_day), noon), Verdict::old);
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(judge_.decider().length_for(prefix("192.0.2.1"), noon), one_day) << "no offence is remembered of it";
  EXPECT_EQ(observe(refused("192.0.2.1", noon - one_day + 1s), noon), Verdict::decided);
  EXPECT_EQ(changes_.back().decision.until, noon + 1s) << "it counts from when it happened";
}

TEST_F(JudgeTest, Promise9MeasuresByTheBanItWouldCause) {
  observe(refused("192.0.2.1", noon));
  observe(refused("192.0.2.1", noon + one_day));  // the second, of two days
  const WallTime later = noon + one_day * 10;
  EXPECT_EQ(observe(refused("192.0.2.1", later - one_day * 5), later), Verdict::old);
  EXPECT_EQ(observe(refused("192.0.2.1", later - one_day * 4 + 1s), later), Verdict::decided)
      << "this would be four days";
}

TEST_F(JudgeTest, Promise9MeasuresByTheNetworksBanToo) {
  // An address with a past, whose fourth neighbour's fall makes the next ban the network's first: of one day.
  WallTime at = noon;
  for (int i = 0; i < 4; ++i) {
    observe(refused("192.0.2.1", at));
    at = changes_.back().decision.until;
  }
  for (const char* neighbour : {"192.0.2.2", "192.0.2.3"}) observe(refused(neighbour, at));
  const WallTime now = at + one_day * 5;
  EXPECT_EQ(observe(refused("192.0.2.1", now - one_day * 4), now), Verdict::decided) << "the address for 16 days";
  judge_.decider().lift_all(now, changes_);
  observe(refused("192.0.2.4", now));
  EXPECT_EQ(changes_.back().decision.prefix, prefix("192.0.2.0/24"));
  judge_.decider().lift_all(now, changes_);
  const WallTime much_later = now + one_day * 7;
  EXPECT_EQ(observe(refused("192.0.2.1", much_later - one_day * 6), much_later), Verdict::old)
      << "the network for two days";
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(JudgeTest, AClockThatRunsAheadBansNobodyIntoTheFuture) {
  EXPECT_EQ(observe(refused("192.0.2.1", noon + one_day * 1000), noon), Verdict::decided);
  EXPECT_EQ(changes_.back().decision.until, noon + one_day);
}

TEST_F(JudgeTest, WhatWasLoggedBeforeAPardonBringsNothingBack) {
  observe(refused("192.0.2.1", noon));
  judge_.decider().lift(prefix("192.0.2.1"), noon + 1h, changes_);
  judge_.pardon(prefix("192.0.2.1"), noon + 1h);
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 59min), noon + 61min), Verdict::old);
  EXPECT_EQ(observe(refused("192.0.2.1", noon + 61min), noon + 61min), Verdict::decided);
}

TEST(Judge, LinesThatAreReadLateCountAsIfReadAtOnce) {
  PolicySettings policy;
  policy.detect.blocked.after = 3;
  Judge judge(policy, HashSeed{}, Decider::Looks::none);
  std::vector<Change> changes;
  const WallTime now = noon + 3h;  // the daemon was down
  EXPECT_EQ(judge.observe(refused("192.0.2.1", noon), now, changes), Verdict::watched);
  EXPECT_EQ(judge.observe(refused("192.0.2.1", noon + 1min), now, changes), Verdict::watched);
  EXPECT_EQ(judge.observe(refused("192.0.2.1", noon + 2min), now, changes), Verdict::decided);
  EXPECT_EQ(changes.back().decision.count, 3U);
  EXPECT_EQ(judge.detectors().tracked(), 0U) << "used up";
}

TEST_F(JudgeTest, OtherSettingsHoldFromThenOn) {
  observe(refused("192.0.2.1", noon));
  judge_.use(classic());
  EXPECT_EQ(judge_.decider().active().size(), 1U) << "what is decided stays decided";
  observe(refused("198.51.100.1", noon));
  EXPECT_EQ(changes_.back().decision.prefix, prefix("198.51.100.0/24"));
  EXPECT_EQ(changes_.back().decision.until, noon + one_day * 3);
}

TEST(Judge, SeedsDontMatter) {
  Judge one({}, HashSeed{}, Decider::Looks::none);
  Judge other({}, HashSeed::random(), Decider::Looks::none);
  for (uint32_t i = 0; i < 500; ++i) {
    const WallTime at = noon + Duration{1h} * i;
    const Event event = refused(Address::v4(0xc6120000 + (i * 7919) % 64), at);
    std::vector<Change> changes_of_one;
    std::vector<Change> changes_of_other;
    EXPECT_EQ(one.observe(event, at, changes_of_one), other.observe(event, at, changes_of_other));
    EXPECT_THAT(changes_of_one, SizeIs(changes_of_other.size()));
  }
}

}  // namespace
}  // namespace palang
