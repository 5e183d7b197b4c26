#include <gtest/gtest.h>

#include "model/decision.hpp"
#include "model/settings.hpp"

namespace palang {
namespace {

TEST(DefaultProfile, IsThePolicyOfTheDesign) {
  const BanSettings ban = default_profile();
  EXPECT_EQ(ban.first, one_day);
  EXPECT_EQ(ban.at_most, one_day * 28);
  EXPECT_EQ(ban.quiet, one_day * 2);
  EXPECT_EQ(ban.remember, one_day * 90);
  EXPECT_EQ(ban.widen.after, 4U);
  EXPECT_EQ(ban.widen.within, one_day * 28);
  EXPECT_EQ(ban.widen.to_v4, 24);
  EXPECT_EQ(ban.widen.to_v6, 64);
  EXPECT_FALSE(ban.always_full);
  EXPECT_EQ(ban, BanSettings{});
}

TEST(ReasonText, SaysWhatAPersonReads) {
  Decision decision;
  decision.port = 8083;
  decision.protocol = Protocol::tcp;
  EXPECT_EQ(reason_text(decision), "refused at tcp/8083");
  decision.count = 4;
  EXPECT_EQ(reason_text(decision), "refused 4 times, last at tcp/8083");
  decision.rule = Rule::portscan;
  EXPECT_EQ(reason_text(decision), "tried 4 ports, last tcp/8083");
  decision.rule = Rule::blocked;
  decision.protocol = Protocol::icmp;
  decision.count = 1;
  EXPECT_EQ(reason_text(decision), "refused at icmp") << "what has no port names none";
}

TEST(Rule, NamesReadBack) {
  for (const Rule rule : {Rule::blocked, Rule::portscan, Rule::manual, Rule::recovered})
    EXPECT_EQ(rule_named(rule_name(rule)), rule);
  const Rule ours = rule_named("sshd-login");
  EXPECT_GT(ours, Rule::recovered);
  EXPECT_EQ(rule_name(ours), "sshd-login");
  EXPECT_EQ(rule_named("sshd-login"), ours);
  EXPECT_EQ(known_rule("sshd-login"), ours);
}

TEST(Rule, OnlyAskingWhetherANameIsKnownInternsNothing) {
  EXPECT_EQ(known_rule("never-heard-of"), std::nullopt);
  EXPECT_EQ(known_rule("never-heard-of"), std::nullopt);
}

TEST(Rule, NamesWithoutEndAreNotInterned) {
  EXPECT_EQ(rule_named(""), Rule::recovered);
  EXPECT_EQ(rule_named(std::string(longest_rule_name + 1, 'x')), Rule::recovered);
  for (size_t i = 0; i < most_rules + 10; ++i) (void)rule_named("rule-" + std::to_string(i));
  EXPECT_EQ(known_rules().size(), most_rules);
  EXPECT_EQ(rule_named("one-too-many"), Rule::recovered);
  EXPECT_EQ(rule_name(static_cast<Rule>(most_rules)), "?");
}

TEST(Decision, StaysSmallEnoughForAMillion) {
  EXPECT_LE(sizeof(Decision), 80U);
}

}  // namespace
}  // namespace palang
