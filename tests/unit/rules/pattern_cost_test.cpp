#include "rules/pattern_cost.hpp"

#include <gtest/gtest.h>

#include "rules/regex.hpp"
#include "rules/tags.hpp"

namespace palang {
namespace {

TEST(PatternCost, OneTextOfAnyLengthIsLinear) {
  EXPECT_TRUE(is_linear(R"(^Failed password for (?:invalid user )?<USER> from <ADDR> port \d+(?: ssh\d?)?$)"));
  EXPECT_TRUE(is_linear(R"(^user=<[^>]*>, rip=<ADDR>, <ANY>$)"));
  EXPECT_TRUE(is_linear(R"(^<USER> from <ADDR>(?: (?:a|b) <ANY>)?$)")) << "the rest of the line takes no search";
}

TEST(PatternCost, TextsThatOverlapAreNot) {
  EXPECT_FALSE(is_linear(R"(^<USER> from <ADDR> by <ANY>x$)"));
  EXPECT_FALSE(is_linear(R"(^[\w ]+ for <USER> from <ADDR>$)"));
  EXPECT_FALSE(is_linear(R"(^a(?!.* from .* from )b$)"));
  EXPECT_FALSE(is_linear(R"(<USER> from <ADDR>$)")) << "a search begins anywhere";
  EXPECT_FALSE(is_linear(R"(^(?:\w+ ?)*x$)"));
  EXPECT_FALSE(is_linear(R"(^(a+)\1*b$)"));
}

TEST(PatternCost, TextsThatAreKeptApartAre) {
  EXPECT_TRUE(is_linear(R"(^[^"]*" from <ADDR> "[^"]*"$)"));
  EXPECT_TRUE(is_linear(R"(^<USER> at \[\d+\] <ADDR> \w+ and \w+$)"));
  EXPECT_TRUE(is_linear(R"(^(?:\w+ from (?<USER>.*) at|<ANY> by) <ADDR>$)")) << "one alternative or the other";
  EXPECT_TRUE(is_linear(R"(^(?: [UP]=\S+)*: <ADDR>$)"));
}

// What takes steps in proportion to its length is not given up, however long it is.
TEST(PatternCost, ALinearPatternReadsTheLongestLine) {
  constexpr std::string_view pattern = "^Failed for <USER> from <ADDR>$";
  ASSERT_TRUE(is_linear(pattern));
  const auto regex = Regex::compile(expand_tags(pattern).value(), {.linear = true});
  ASSERT_TRUE(regex);
  const std::string end = " from 192.0.2.1";
  std::string line = "Failed for ";
  while (line.size() < Regex::max_subject - 2 * end.size()) line += end;
  line += std::string(Regex::max_subject - end.size() - line.size(), 'x') + end;
  Captures captures;
  EXPECT_TRUE(regex->match(line, captures));
  EXPECT_EQ(captures.given_up(), 0U);
}

TEST(PatternCost, TheRestOfALineMayBeAnything) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    Captures captures;
    return Regex::compile(expand_tags(pattern).value()).value().match(text, captures);
  };
  EXPECT_TRUE(matches("^a <ANY>$", "a "));
  EXPECT_TRUE(matches("^a <ANY>$", "a b c"));
  EXPECT_TRUE(matches("^a <ANY>$", "a b\n"));
  EXPECT_FALSE(matches("^a <ANY>$", "a b\nc"));
  EXPECT_TRUE(matches("^a(?: b <ANY>| c <ANY>)?$", "a"));
  EXPECT_TRUE(matches("^a(?: b <ANY>| c <ANY>)?$", "a c d"));
  EXPECT_FALSE(matches("^a(?: b <ANY>| c <ANY>)?$", "a d"));
}

}  // namespace
}  // namespace palang
