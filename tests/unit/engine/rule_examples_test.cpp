#include "engine/rule_examples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/rule_file.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view rule = R"(
[[rule]]
name = "door"
about = "Knocks"
programs = ["door"]
enabled = false
patterns = ['''^knock of <USER> from <ADDR>$''']
)";

std::vector<std::string> faults_of(std::string_view example) {
  const RuleText file{"door.toml", std::string(rule) + "[[rule.example]]\n" + std::string(example)};
  const LoadedRules loaded = read_rules({&file, 1}, {});
  EXPECT_THAT(loaded.faults, IsEmpty());
  const auto report = check_examples(loaded.rules);
  EXPECT_TRUE(report);
  std::vector<std::string> faults;
  if (!report) return faults;
  EXPECT_EQ(report->examples, 1U);
  for (const ExampleFailure& failure : report->failures) {
    EXPECT_EQ(failure.place().substr(0, 10), "door.toml:");
    faults.push_back(failure.fault);
  }
  return faults;
}

constexpr std::string_view line = "line = '''Jan 12 00:30:41 web1 door[1]: knock of anna from 203.0.113.9'''\n";
constexpr std::string_view other = "line = '''Jan 12 00:30:41 web1 door[1]: bell of anna from 203.0.113.9'''\n";

std::string with(std::string_view text, std::string_view keys) {
  return std::string(text) + std::string(keys);
}

TEST(RuleExamples, HoldWhereTheRuleDoesWhatTheySay) {
  EXPECT_THAT(faults_of(with(line, "addr = \"203.0.113.9\"\nuser = \"anna\"\n")), IsEmpty());
  EXPECT_THAT(faults_of(with(other, "match = false\n")), IsEmpty());
}

TEST(RuleExamples, FailWhereItDoesNot) {
  EXPECT_THAT(faults_of(with(line, "addr = \"203.0.113.8\"\n")), ElementsAre("blames 203.0.113.9, not 203.0.113.8"));
  EXPECT_THAT(faults_of(with(line, "addr = \"203.0.113.9\"\nuser = \"bob\"\n")),
              ElementsAre("names the account 'anna', not 'bob'"));
  EXPECT_THAT(faults_of(with(line, "match = false\n")), ElementsAre("matches and must not"));
  EXPECT_THAT(faults_of(with(other, "addr = \"203.0.113.9\"\n")), ElementsAre("doesn't match"));
}

TEST(RuleExamples, AreThoseOfTheRulesThatAreAskedFor) {
  const RuleText file{"door.toml", std::string(rule) + "[[rule.example]]\n" + with(line, "addr = \"203.0.113.9\"\n")};
  const LoadedRules loaded = read_rules({&file, 1}, {});
  const std::vector<std::string> names{"window"};
  const auto report = check_examples(loaded.rules, names);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->examples, 0U);
}

}  // namespace
}  // namespace palang
