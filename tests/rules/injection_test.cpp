#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "rules/hostile.hpp"
#include "rules/shipped.hpp"

namespace palang {
namespace {

using Rules = std::vector<const RuleDefinition*>;

TEST(Injection, EveryExampleSaysWhatStrangersWrite) {
  for (const RuleDefinition& definition : shipped::rules().rules) {
    for (const RuleExample& example : definition.examples) {
      if (!example.match) continue;
      EXPECT_TRUE(example.says_attacker) << definition.settings.name << ": " << example.line;
      for (const auto* fields : {&example.attacker, &example.attacker_words})
        for (const std::string& text : *fields)
          EXPECT_THAT(example.line, testing::HasSubstr(text)) << definition.settings.name;
      if (!example.user || example.user->empty()) continue;
      EXPECT_THAT(example.attacker, testing::Contains(*example.user))
          << definition.settings.name << ": " << example.line;
    }
  }
}

// By file: rules of one file are about the same programs, and their messages are what one would write into each other.
class InjectionInto : public testing::TestWithParam<std::string> {};

std::vector<std::string> files() {
  std::set<std::string> names;
  const auto has_fields = [](const RuleExample& example) {
    return !example.attacker.empty() || !example.attacker_words.empty();
  };
  for (const RuleDefinition& definition : shipped::rules().rules)
    if (std::ranges::any_of(definition.examples, has_fields)) names.emplace(shipped::file_of(definition));
  return {names.begin(), names.end()};
}

TEST_P(InjectionInto, BlamesTheSenderOrNobody) {
  auto reader = ExampleReader::compile(shipped::rules().rules);
  ASSERT_TRUE(reader) << reader.error().text;
  Rules rules;
  for (const RuleDefinition& definition : shipped::rules().rules)
    if (shipped::file_of(definition) == GetParam()) rules.push_back(&definition);
  hostile::Outcome outcome;
  hostile::inject(*reader, rules, outcome);
  EXPECT_THAT(outcome.misled, testing::IsEmpty());
  EXPECT_GE(outcome.lines, 100U);
  EXPECT_EQ(reader->given_up(), 0U);
  std::cout << outcome.lines << " lines with hostile texts\n";
}

std::string title_of(const testing::TestParamInfo<std::string>& file) {
  std::string title = file.param.substr(0, file.param.find('.'));
  std::ranges::replace(title, '-', '_');
  return title;
}

INSTANTIATE_TEST_SUITE_P(Rules, InjectionInto, testing::ValuesIn(files()), title_of);

// Would be sound if the program kept spaces out of names, which it doesn't.
constexpr std::string_view careless = R"(
[[rule]]
name = "careless"
about = "A pattern that trusts what it must not"
programs = ["myapp"]
patterns = ['''^login failed for (?<USER>\S+) from <ADDR>: <ANY>$''']
[[rule.example]]
line = '''Jan 12 00:30:41 web1 myapp[4242]: login failed for root from 203.0.113.9: wrong password'''
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
