#include <gtest/gtest.h>

#include "model/rule_settings.hpp"

namespace palang {
namespace {

RuleSettings ssh_logins() {
  RuleSettings rule;
  rule.name = "reasons-test-login";
  rule.what = "failed ssh logins";
  return rule;
}

TEST(Reasons, SayWhatWasCountedAndWithinWhichTime) {
  RuleSettings rule = ssh_logins();
  EXPECT_EQ(reason_text(rule, 5), "5 failed ssh logins within 10 minutes");
  rule.count = RuleSettings::Count::users;
  rule.within = one_day;
  EXPECT_EQ(reason_text(rule, 4), "failed ssh logins to 4 accounts within 1 day");
  rule.count = RuleSettings::Count::bans;
  EXPECT_EQ(reason_text(rule, 3), "banned 3 times within 1 day");
}

TEST(Reasons, SayHowMuchAFloodIs) {
  RuleSettings rule;
  rule.what = "HTTP requests";
  rule.by = RuleSettings::By::prefix;
  rule.bucket = BucketSettings{5000, 4ms};
  EXPECT_EQ(reason_text(rule, 5001),
            "more than 5000 HTTP requests at once from its network, and one each 4 milliseconds");
}

TEST(Reasons, SayThatManyAttackedOneAccount) {
  RuleSettings rule = ssh_logins();
  rule.distributed = DistributedSettings{10, 1h};
  EXPECT_EQ(distributed_reason_text(rule, 10),
            "one of 10 addresses with failed ssh logins to the same account within 1 hour");
}

TEST(Reasons, AreThoseOfTheRulesInUse) {
  RuleSettings rule = ssh_logins();
  rule.distributed = DistributedSettings{10, 1h};
  EXPECT_EQ(reason_by_rule(rule.name, 5), "counted 5 times") << "a rule that is no more";
  use_reasons_of({&rule, 1});
  EXPECT_EQ(reason_by_rule(rule.name, 5), "5 failed ssh logins within 10 minutes");
  EXPECT_EQ(reason_by_rule(distributed_name(rule), 10),
            "one of 10 addresses with failed ssh logins to the same account within 1 hour");
  use_reasons_of({});
}

}  // namespace
}  // namespace palang
