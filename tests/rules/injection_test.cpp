#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "rules/hostile.hpp"
#include "rules/shipped.hpp"

namespace palang {
namespace {

using Rules = std::vector<const RuleDefinition*>;

// Rules of one file are about the same programs: their messages are what one would write into each other.
std::map<std::string_view, Rules> by_file() {
  std::map<std::string_view, Rules> files;
  for (const RuleDefinition& definition : shipped::rules().rules) files[shipped::file_of(definition)].push_back(&definition);
  return files;
}

TEST(Injection, EveryExampleSaysWhatStrangersWrite) {
  for (const RuleDefinition& definition : shipped::rules().rules) {
    for (const RuleExample& example : definition.examples) {
      if (!example.match) continue;
      EXPECT_TRUE(example.says_attacker) << definition.settings.name << ": " << example.line;
      for (const auto* fields : {&example.attacker, &example.attacker_words})
        for (const std::string& text : *fields)
          EXPECT_THAT(example.line, testing::HasSubstr(text)) << definition.settings.name;
      if (!example.user || example.user->empty()) continue;
      EXPECT_THAT(example.attacker, testing::Contains(*example.user)) << definition.settings.name << ": " << example.line;
    }
  }
}

TEST(Injection, BlamesTheSenderOrNobody) {
  auto reader = ExampleReader::compile(shipped::rules().rules);
  ASSERT_TRUE(reader) << reader.error().text;
  hostile::Outcome outcome;
  for (const auto& [file, rules] : by_file()) hostile::inject(*reader, rules, outcome);
  EXPECT_THAT(outcome.misled, testing::IsEmpty());
  EXPECT_GE(outcome.lines, 500'000U);
  std::cout << outcome.lines << " lines with hostile texts\n";
}

constexpr std::string_view careless = R"(
[[rule]]
name = "careless"
about = "A pattern that ends too early"
programs = ["sshd"]
patterns = ['''^Failed password for <USER> from <ADDR>''']
[[rule.example]]
line = '''Jan 12 00:30:41 web1 sshd[4242]: Failed password for root from 203.0.113.9 port 64490 ssh2'''
addr = "203.0.113.9"
attacker = ["root"]
)";

// The test above would be worth nothing if it did not find what is wrong with this one.
TEST(Injection, FindsOutACarelessPattern) {
  const RuleText file{"careless.toml", std::string(careless)};
  const LoadedRules loaded = read_rules({&file, 1}, {});
  ASSERT_THAT(loaded.faults, testing::IsEmpty());
  auto reader = ExampleReader::compile(loaded.rules);
  ASSERT_TRUE(reader) << reader.error().text;
  const Rules rules{loaded.rules.data()};
  hostile::Outcome outcome;
  hostile::inject(*reader, rules, outcome);
  EXPECT_THAT(outcome.misled, testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace palang
