#include "rules/rule_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/rules_of.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view whole_rule = R"([[rule]]
name = "sshd-login"
about = "Failed logins to OpenSSH"
programs = ["sshd", "sshd-session"]
units = ["ssh.service"]
patterns = ['''^Failed password for (?:invalid user )?<USER> from <ADDR> port \d+ ssh2$''']
ignore = ['''^Failed password for backup ''']
proof = "handshake"
count = "users"
by = "prefix"
after = 3
within = "1h"
distributed = { sources = 20, within = "2h" }
ban = { for = "2d", at_most = "7d", scope = "full" }
[[rule.example]]
line = "Failed password for root from 192.0.2.1 port 22 ssh2"
addr = "192.0.2.1"
user = "root"
[[rule.example]]
line = "Accepted password for root from 192.0.2.1 port 22 ssh2"
match = false
)";

std::string rule_with(std::string_view keys) {
  return "[[rule]]\nname = \"one\"\nabout = \"A rule\"\n" + std::string(keys);
}

// The faults of a rule that has these keys, which begin on line 4.
std::vector<std::string> faults_of(std::string_view keys) {
  return rules_of(rule_with(keys)).faults;
}

std::string override_with(std::string_view keys) {
  return "[[override]]\nname = \"sshd-login\"\n" + std::string(keys);
}

LoadedRules overridden(const std::string& own) {
  const std::vector<RuleText> shipped{{"ship.toml", std::string(whole_rule)}};
  const std::vector<RuleText> ours{{"own.toml", own}};
  return read_rules(shipped, ours);
}

TEST(RuleFile, EveryKeyIsRead) {
  const LoadedRules loaded = rules_of(std::string(whole_rule));
  ASSERT_THAT(loaded.faults, IsEmpty());
  ASSERT_THAT(loaded.rules, SizeIs(1));
  const RuleDefinition& rule = loaded.rules[0];
  EXPECT_EQ(rule.settings.name, "sshd-login");
  EXPECT_EQ(rule.source, "test.toml");
  EXPECT_EQ(rule.about, "Failed logins to OpenSSH");
  EXPECT_THAT(rule.programs, ElementsAre("sshd", "sshd-session"));
  EXPECT_THAT(rule.units, ElementsAre("ssh.service"));
  EXPECT_THAT(rule.patterns, SizeIs(1));
  EXPECT_THAT(rule.ignore, SizeIs(1));
  EXPECT_EQ(rule.settings.proof, Proof::handshake);
  EXPECT_EQ(rule.settings.count, RuleSettings::Count::users);
  EXPECT_EQ(rule.settings.by, RuleSettings::By::prefix);
  EXPECT_EQ(rule.settings.after, 3U);
  EXPECT_EQ(rule.settings.within, Duration{1h});
  EXPECT_EQ(rule.settings.distributed, (DistributedSettings{20, 2h}));
  EXPECT_EQ(rule.settings.ban, (RuleBan{one_day * 2, one_day * 7, Scope::full}));
  EXPECT_TRUE(rule.enabled);
  ASSERT_THAT(rule.examples, SizeIs(2));
  EXPECT_EQ(rule.examples[0].user, "root");
  EXPECT_FALSE(rule.examples[1].match);
}

TEST(RuleFile, AFaultIsOneLineWithFileLineKeyAndNearestKey) {
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\nafer = 3"),
              ElementsAre("test.toml:6: one.afer: no such key; did you mean after?"));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\nafter = 0"),
              ElementsAre("test.toml:6: one.after: 0 is out of range: 1 to 10000"));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\nproof = \"aplication\""),
              ElementsAre(HasSubstr("test.toml:6: one.proof: must be one of \"forgeable\", \"handshake\", "
                                    "\"application\", not 'aplication'; did you mean \"application\"?")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\nban = { at_mots = \"1d\" }"),
              ElementsAre("test.toml:6: one.ban.at_mots: no such key; did you mean at_most?"));
  EXPECT_THAT(rules_of("[[rule]]\nabout = \"x\"").faults, ElementsAre("test.toml:1: rule.name: is missing"));
  EXPECT_THAT(rules_of("[[rules]]\nabout = \"x\"").faults,
              ElementsAre("test.toml:1: rules: no such key; did you mean [[rule]]?"));
}

TEST(RuleFile, ABrokenRuleLeavesTheOthersAlone) {
  const LoadedRules loaded =
      rules_of(rule_with("programs = [\"x\"]\npatterns = ['^(<ADDR>$']\n") + std::string(whole_rule));
  EXPECT_THAT(loaded.faults, ElementsAre(HasSubstr("test.toml:5: one.patterns: '^(<ADDR>$' at offset")));
  ASSERT_THAT(loaded.rules, SizeIs(1));
  EXPECT_EQ(loaded.rules[0].settings.name, "sshd-login");
}

TEST(RuleFile, PatternsMustBeAnchoredWithOneAddress) {
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['from <ADDR>$']"),
              ElementsAre(HasSubstr("must begin with ^")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^from$']"), ElementsAre(HasSubstr("exactly once")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR> <ADDR>$']"), ElementsAre(HasSubstr("2 times")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADR> <ADDR>$']"),
              ElementsAre(HasSubstr("<ADR> is no tag; did you mean <ADDR>?")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^for <USER> from <ADDR>']"),
              ElementsAre(HasSubstr("whoever writes what <USER> stands for can name another address")));
}

TEST(RuleFile, WhatARuleNeedsToBeOfUse) {
  EXPECT_THAT(faults_of("patterns = ['^<ADDR>$']"), ElementsAre(HasSubstr("needs programs")));
  EXPECT_THAT(faults_of("programs = [\"x\"]"), ElementsAre(HasSubstr("needs patterns")));
  EXPECT_THAT(faults_of("format = \"access\""), ElementsAre(HasSubstr("needs files or programs")));
  EXPECT_THAT(faults_of("format = \"access\"\nfiles = [\"/x\"]\npatterns = ['^<ADDR>$']"),
              ElementsAre(HasSubstr("use where")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\ncount = \"users\""),
              ElementsAre(HasSubstr("<USER>")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\ndistributed = { sources = 5 }"),
              ElementsAre(HasSubstr("<USER>")));
  EXPECT_THAT(faults_of("programs = [\"x\"]\npatterns = ['^<ADDR>$']\nbucket = { capacity = 5 }\nafter = 3"),
              ElementsAre(HasSubstr("say nothing")));
  EXPECT_THAT(faults_of("format = \"access\"\nfiles = [\"/x\"]\nwhere = { status = [\"4xy\"] }"),
              ElementsAre(HasSubstr("one.where.status: a status is written")));
  EXPECT_THAT(faults_of("count = \"bans\"\nafter = 3\nwithin = \"1d\""), IsEmpty());
}

TEST(RuleFile, BrokenTomlIsOneFault) {
  EXPECT_THAT(rules_of("[[rule]\nname = 3").faults, ElementsAre(HasSubstr("test.toml:1:")));
  EXPECT_THAT(rules_of("rule = 3").faults, ElementsAre(HasSubstr("must be written [[rule]]")));
}

TEST(RuleFile, NamesAreUnique) {
  const LoadedRules loaded = rules_of(std::string(whole_rule) + std::string(whole_rule));
  EXPECT_THAT(loaded.rules, SizeIs(1));
  EXPECT_THAT(loaded.faults,
              ElementsAre("test.toml:22: sshd-login: there is a rule of this name in test.toml:1 already"));
}

TEST(RuleFile, OurOwnRuleReplacesTheShippedOneWhole) {
  const LoadedRules loaded =
      overridden("[[rule]]\nname = \"sshd-login\"\nabout = \"Ours\"\nprograms = [\"x\"]\npatterns = ['^<ADDR>$']\n");
  ASSERT_THAT(loaded.faults, IsEmpty());
  ASSERT_THAT(loaded.rules, SizeIs(1));
  EXPECT_EQ(loaded.rules[0].source, "own.toml");
  EXPECT_EQ(loaded.rules[0].settings.after, 5U);
}

TEST(RuleFile, AnOverrideChangesSomeKeys) {
  const LoadedRules loaded = overridden(override_with("after = 9\nban = { for = \"3d\" }\nenabled = false\n"));
  ASSERT_THAT(loaded.faults, IsEmpty());
  ASSERT_THAT(loaded.rules, SizeIs(1));
  EXPECT_EQ(loaded.rules[0].source, "ship.toml");
  EXPECT_EQ(loaded.rules[0].settings.after, 9U);
  EXPECT_EQ(loaded.rules[0].settings.within, Duration{1h});
  EXPECT_EQ(loaded.rules[0].settings.ban.first, one_day * 3);
  EXPECT_EQ(loaded.rules[0].settings.ban.at_most, one_day * 7);
  EXPECT_FALSE(loaded.rules[0].enabled);
}

TEST(RuleFile, AnOverrideThatIsWrongChangesNothing) {
  const LoadedRules loaded = overridden(override_with("after = 9\npatterns = []\n"));
  EXPECT_THAT(loaded.faults, ElementsAre(HasSubstr("own.toml:4: sshd-login.patterns: can't be overridden")));
  EXPECT_EQ(loaded.rules[0].settings.after, 3U);
  EXPECT_THAT(overridden("[[override]]\nname = \"sshd-logn\"\n").faults,
              ElementsAre("own.toml:1: override.sshd-logn: there is no such rule; did you mean sshd-login?"));
  EXPECT_THAT(rules_of("[[override]]\nname = \"x\"\n").faults, SizeIs(1)) << "shipped files have no overrides";
}

}  // namespace
}  // namespace palang
