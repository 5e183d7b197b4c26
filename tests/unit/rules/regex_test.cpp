#include "rules/regex.hpp"

#include <gtest/gtest.h>

#include <string>

namespace palang {
namespace {

Regex compiled(std::string_view pattern, Regex::Options options = {}) {
  auto regex = Regex::compile(pattern, options);
  EXPECT_TRUE(regex.has_value()) << pattern;
  return std::move(*regex);
}

TEST(RegexSearch, CapturesNamedGroups) {
  const Regex regex = compiled(R"(^Failed \w+ for (?<user>.*?) from (?<addr>\S+)(?: port (?<port>\d+))?$)");
  Captures captures;
  ASSERT_TRUE(regex.match("Failed password for root from 192.0.2.7", captures));
  EXPECT_EQ(captures.group(*regex.number_of("user")), "root");
  EXPECT_EQ(captures.group(*regex.number_of("addr")), "192.0.2.7");
  EXPECT_EQ(captures.group(*regex.number_of("port")), std::nullopt);
  EXPECT_EQ(captures.group(0), "Failed password for root from 192.0.2.7");
  EXPECT_EQ(regex.number_of("nobody"), std::nullopt);
  EXPECT_FALSE(regex.match("Accepted password", captures));
  EXPECT_EQ(captures.group(0), std::nullopt);
}

TEST(RegexSearch, SearchesFromAnOffsetAndSeesWhatIsBefore) {
  const Regex regex = compiled("(?<=a)b");
  Captures captures;
  ASSERT_TRUE(regex.match("ab", captures, 1));
  EXPECT_EQ(captures.begin(0), 1U);
  EXPECT_EQ(captures.end(0), 2U);
  EXPECT_FALSE(regex.match("ab", captures, 2));
  EXPECT_FALSE(regex.match("ab", captures, 3));
}

TEST(RegexSearch, LinesAreBytesUnlessSaidOtherwise) {
  Captures captures;
  EXPECT_FALSE(compiled("^.$").match("\xc3\xbc", captures));
  EXPECT_TRUE(compiled("^..$").match("\xff\xfe", captures));
  EXPECT_TRUE(compiled(R"(^\w$)", {.utf = true}).match("\xc3\xbc", captures));
}

TEST(RegexSearch, ManyGroupsFitIntoUsedCaptures) {
  Captures captures;
  EXPECT_TRUE(compiled("a").match("a", captures));
  std::string pattern;
  for (int group = 0; group < 200; ++group) pattern += "(x)";
  const Regex regex = compiled(pattern);
  const std::string subject(200, 'x');
  ASSERT_TRUE(regex.match(subject, captures));
  EXPECT_EQ(captures.group(200), "x");
}

TEST(RegexErrors, NameTheOffset) {
  const auto regex = Regex::compile("abc(def");
  ASSERT_FALSE(regex.has_value());
  EXPECT_EQ(regex.error().text, "at offset 7: missing closing parenthesis");
}

TEST(RegexErrors, APatternCannotSwitchToUtf) {
  EXPECT_FALSE(Regex::compile("(*UTF).").has_value());
}

TEST(RegexLimits, ASearchThatBacktracksWithoutEndIsGivenUp) {
  const Regex regex = compiled("^(?:a+)+(?:b|c)+$");
  Captures captures;
  EXPECT_FALSE(regex.match(std::string(5'000, 'a') + "!", captures));
  EXPECT_EQ(captures.given_up(), 1U);
  EXPECT_TRUE(regex.match("aab", captures));
  EXPECT_EQ(captures.given_up(), 1U);
}

TEST(RegexLimits, OnlyTheFirst64KiBOfALineAreLookedAt) {
  Captures captures;
  const Regex regex = compiled("needle");
  EXPECT_TRUE(regex.match(std::string(Regex::max_subject - 6, '-') + "needle", captures));
  EXPECT_FALSE(regex.match(std::string(Regex::max_subject, '-') + "needle", captures));
}

}  // namespace
}  // namespace palang
