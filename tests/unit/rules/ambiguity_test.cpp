#include "rules/ambiguity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace palang {
namespace {

using testing::HasSubstr;

TEST(Ambiguity, OnlyTheLastAddressFitsWhereTheRestIsFixed) {
  EXPECT_EQ(why_ambiguous(R"(^Failed password for <USER> from <ADDR> port \d+ ssh2$)"), "");
  EXPECT_EQ(why_ambiguous(R"(^Failed password for <USER> from <ADDR>(?: port \d+)?(?: ssh\d*)?$)"), "");
  EXPECT_EQ(why_ambiguous(R"(^lost connection after \w+ from \S+\[<ADDR>\]$)"), "");
}

TEST(Ambiguity, WithoutAnEndAnyAddressFits) {
  EXPECT_THAT(why_ambiguous(R"(^Failed password for <USER> from <ADDR>)"), HasSubstr("<USER>"));
  EXPECT_THAT(why_ambiguous(R"(^Failed password for .* from <ADDR> port \d+)"), HasSubstr(".*"));
  EXPECT_THAT(why_ambiguous(R"(^Failed password for (?:.|x)+ from <ADDR>)"), HasSubstr("can name another"));
}

TEST(Ambiguity, ARestThatHoldsAnythingHoldsTheRealAddress) {
  EXPECT_THAT(why_ambiguous(R"(^login <USER> from <ADDR>: <ANY>$)"), HasSubstr("what follows <ADDR>"));
  EXPECT_THAT(why_ambiguous(R"(^ruser=<USER> rhost=<ADDR>(?: user=<USER>)?$)"), HasSubstr("what follows <ADDR>"));
}

TEST(Ambiguity, ACharacterThatTheTextCannotHoldIsABarrier) {
  EXPECT_EQ(why_ambiguous(R"(^user=<[^>]*>, rip=<ADDR>, )"), "");
  EXPECT_EQ(why_ambiguous(R"(^<WORD> from <ADDR>: <ANY>)"), "");
  EXPECT_EQ(why_ambiguous(R"(^warning: [^\[]*\[<ADDR>\]: SASL LOGIN .*)"), "");
  EXPECT_THAT(why_ambiguous(R"(^user=<[^>]*(?:>)?, rip=<ADDR>, )"), HasSubstr("can name another"))
      << "no barrier if optional";
}

TEST(Ambiguity, TextBehindTheAddressHarmsNobody) {
  EXPECT_EQ(why_ambiguous(R"(^refused connect from <ADDR> <ANY>)"), "");
}

TEST(Ambiguity, WhatCannotHoldAnAddressIsNoDanger) {
  EXPECT_EQ(why_ambiguous(R"(^error \d+ by \w+ at <ADDR>)"), "");
}

TEST(Ambiguity, OnlyOneAlternativeIsAnchored) {
  EXPECT_THAT(why_ambiguous(R"(^a|b <ADDR>)"), HasSubstr("outside of parentheses"));
}

}  // namespace
}  // namespace palang
