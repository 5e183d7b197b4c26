// Rules through the whole of detect and decide.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/judge.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using testing::IsEmpty;
using testing::SizeIs;

PolicySettings policy_with(RuleSettings rule) {
  PolicySettings policy;
  policy.rules = {std::move(rule)};
  return policy;
}

RuleSettings login_rule() {
  RuleSettings rule;
  rule.name = "judged-login";
  rule.after = 3;
  return rule;
}

class RulesJudge : public testing::Test {
 protected:
  Verdict login(Judge& judge, std::string_view source, WallTime at, std::string_view user = {}) {
    Event event;
    event.at = at;
    event.source = make::address(source);
    event.rule = rule_named("judged-login");
    event.proof = Proof::application;
    event.user = user;
    changes.clear();
    return judge.observe(event, at, changes);
  }
  std::vector<Change> changes;
};

TEST_F(RulesJudge, AnOffenderFallsFullyOnceAndIsStoppedThen) {
  Judge judge(policy_with(login_rule()), HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::watched);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 1s), Verdict::watched);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 2s), Verdict::decided);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].decision.rule, rule_named("judged-login"));
  EXPECT_EQ(changes[0].decision.scope, Scope::full);
  EXPECT_EQ(changes[0].decision.count, 3U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(login(judge, "192.0.2.1", noon + 3s), Verdict::stopped);
}

TEST_F(RulesJudge, Promise1ForgeableRulesBanQuietly) {
  Judge judge(policy_with(login_rule()), HashSeed{}, Decider::Looks::none);
  Event event;
  event.at = noon;
  event.source = make::address("192.0.2.1");
  event.rule = rule_named("judged-login");
  event.proof = Proof::forgeable;
  for (int i = 0; i < 3; ++i) (void)judge.observe(event, noon, changes);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].decision.scope, Scope::quiet);
}

TEST_F(RulesJudge, Promise2WhoIsAllowedIsNeitherBannedNorCounted) {
  RuleSettings rule = login_rule();
  rule.distributed = DistributedSettings{2, 1h};
  PolicySettings policy = policy_with(rule);
  policy.allow = {make::prefix("192.0.2.0/24")};
  Judge judge(policy, HashSeed{}, Decider::Looks::none);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(login(judge, "192.0.2.1", noon, "root"), Verdict::exempt);
  EXPECT_EQ(judge.rules().tracked(), 0U);
  // Allowed after it was counted: the others of a distributed attack fall, it doesn't.
  EXPECT_EQ(login(judge, "198.51.100.1", noon, "root"), Verdict::watched);
  judge.exemptions().allow(make::prefix("198.51.100.1"), WallTime::max());
  EXPECT_EQ(login(judge, "203.0.113.1", noon, "root"), Verdict::decided);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].decision.prefix, make::prefix("203.0.113.1"));
}

TEST_F(RulesJudge, AllSourcesOfADistributedAttackFall) {
  RuleSettings rule = login_rule();
  rule.after = 100;
  rule.distributed = DistributedSettings{3, 1h};
  Judge judge(policy_with(rule), HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(login(judge, "192.0.2.1", noon, "root"), Verdict::watched);
  EXPECT_EQ(login(judge, "198.51.100.1", noon, "root"), Verdict::watched);
  EXPECT_EQ(login(judge, "203.0.113.1", noon, "root"), Verdict::decided);
  EXPECT_THAT(changes, SizeIs(3));
  for (const Change& change : changes) EXPECT_EQ(rule_name(change.decision.rule), "judged-login-distributed");
}

TEST_F(RulesJudge, ProofTurnsAQuietBanIntoAFullOne) {
  Judge judge(policy_with(login_rule()), HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(judge.observe(make::refused("192.0.2.1", noon), noon, changes), Verdict::decided);
  EXPECT_EQ(changes[0].decision.scope, Scope::quiet);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::watched);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::watched);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::decided);
  EXPECT_EQ(changes.back().kind, ChangeKind::added);
  EXPECT_EQ(changes.back().decision.scope, Scope::full);
}

TEST_F(RulesJudge, ARulesOwnBanIsAsLongAsItSaysHoweverLoudTheSource) {
  RuleSettings rule = login_rule();
  rule.after = 1;
  rule.ban.first = Duration{10min};
  rule.ban.at_most = Duration{10min};
  Judge judge(policy_with(rule), HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::decided);
  EXPECT_EQ(changes[0].decision.until, noon + 10min);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 9min), Verdict::stopped);
  std::vector<ActiveBans::Slot> looks;
  judge.decider().advance(noon + 10min, changes, looks);
  EXPECT_EQ(judge.decider().active().size(), 0U);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 11min), Verdict::decided);
  EXPECT_EQ(changes[0].decision.until, noon + 21min) << "at_most holds for the next one, too";
}

TEST_F(RulesJudge, Promise9LinesOlderThanTheBanTheyWouldCauseChangeNothing) {
  RuleSettings rule = login_rule();
  rule.after = 1;
  rule.ban.first = Duration{10min};
  Judge judge(policy_with(rule), HashSeed{}, Decider::Looks::none);
  Event event;
  event.at = noon;
  event.source = make::address("192.0.2.1");
  event.rule = rule_named("judged-login");
  event.proof = Proof::application;
  EXPECT_EQ(judge.observe(event, noon + 10min, changes), Verdict::old);
  EXPECT_EQ(judge.observe(event, noon + 10min - 1us, changes), Verdict::decided);
}

TEST_F(RulesJudge, AnUnbanForgivesWhatWasCounted) {
  Judge judge(policy_with(login_rule()), HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::watched);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::watched);
  judge.pardon(make::prefix("192.0.2.1"), noon + 1s);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 1s), Verdict::old);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 2s), Verdict::watched) << "it begins anew";
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 3s), Verdict::watched);
}

TEST_F(RulesJudge, RecidiveReplacesTheBanThatMadeItSo) {
  RuleSettings rule = login_rule();
  rule.after = 1;
  rule.ban.first = rule.ban.at_most = Duration{1min};
  RuleSettings recidive;
  recidive.name = "judged-recidive";
  recidive.count = RuleSettings::Count::bans;
  recidive.after = 2;
  recidive.within = one_day;
  recidive.ban.first = one_day * 7;
  PolicySettings policy = policy_with(rule);
  policy.rules.push_back(recidive);
  Judge judge(policy, HashSeed{}, Decider::Looks::none);
  EXPECT_EQ(login(judge, "192.0.2.1", noon), Verdict::decided);
  std::vector<ActiveBans::Slot> looks;
  judge.decider().advance(noon + 1min, changes, looks);
  EXPECT_EQ(login(judge, "192.0.2.1", noon + 1h), Verdict::decided);
  EXPECT_EQ(rule_name(changes.back().decision.rule), "judged-recidive");
  EXPECT_GE(changes.back().decision.until, noon + 1h + one_day * 7);
  EXPECT_EQ(judge.decider().active().size(), 1U);
}

}  // namespace
}  // namespace palang
