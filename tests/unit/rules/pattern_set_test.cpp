#include "rules/pattern_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/regex.hpp"
#include "rules/tags.hpp"

namespace palang {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<uint32_t> candidates_of(const PatternSet& set, std::string_view text) {
  ScanMemory memory;
  std::vector<uint32_t> ids;
  set.candidates(text, memory, ids);
  return ids;
}

TEST(LiteralPrefixes, AreAllBeginnings) {
  EXPECT_THAT(literal_prefixes("^Failed (?:password|publickey) for .*"),
              UnorderedElementsAre("Failed password for ", "Failed publickey for "));
  EXPECT_THAT(literal_prefixes("^ab?c$"), UnorderedElementsAre("ac", "abc"));
  EXPECT_THAT(literal_prefixes("^(?:x )?Bad"), UnorderedElementsAre("Bad", "x Bad"));
  EXPECT_THAT(literal_prefixes(R"(^a\[\d+\])"), ElementsAre("a["));
  EXPECT_THAT(literal_prefixes("^[Ff]ailed"), UnorderedElementsAre("Failed", "failed"));
  EXPECT_THAT(literal_prefixes("^ab+c"), ElementsAre("ab"));
  EXPECT_THAT(literal_prefixes("^ab*c"), UnorderedElementsAre("a", "ab"));
  EXPECT_THAT(literal_prefixes("^ab{2}c"), UnorderedElementsAre("a", "ab"));
  EXPECT_THAT(literal_prefixes("^(?:a|b.)c"), UnorderedElementsAre("ac", "b"));
}

TEST(LiteralPrefixes, NoneWhereAnythingMayComeFirst) {
  for (const char* pattern : {"Failed", "^.*x", "^a|b", "^(?i)Failed", "^(?:x)?.", "^\\d", "^(?:a|)", "^", "", "^(?:a",
                              "^(*COMMIT)a", "^\\Qa.b\\E", "^a*", "^(?:a|\\w)b", "^(?(?=a)a|b)"})
    EXPECT_THAT(literal_prefixes(pattern), IsEmpty()) << pattern;
}

TEST(PatternSet, FindsAnchoredAndOtherPatterns) {
  const std::vector<PatternSet::Pattern> patterns{{"^Failed password for .* from \\d+$"},
                                                  {"^Invalid user "},
                                                  {"from (?<!x)\\d+ port"},
                                                  {"^Failed publickey"},
                                                  {"^failed", false, true}};
  const PatternSet set = PatternSet::compile(patterns);
  EXPECT_THAT(candidates_of(set, "Failed password for root from 1 port 2"), ElementsAre(0, 2, 4));
  EXPECT_THAT(candidates_of(set, "Invalid user x"), ElementsAre(1));
  EXPECT_THAT(candidates_of(set, "Accepted"), IsEmpty());
  EXPECT_THAT(candidates_of(set, ""), IsEmpty());
}

TEST(PatternSet, WhatHyperscanRefusesIsAlwaysACandidate) {
  const std::vector<PatternSet::Pattern> patterns{{R"((a|b)(?R)?c\K)"}, {"needle"}};
  const PatternSet set = PatternSet::compile(patterns);
  EXPECT_EQ(set.unfiltered(), 1U);
  EXPECT_THAT(candidates_of(set, "hay"), ElementsAre(0));
  EXPECT_THAT(candidates_of(set, "a needle"), ElementsAre(0, 1));
}

TEST(PatternSet, AnEmptyTextMatchesWhatMatchesNothing) {
  const std::vector<PatternSet::Pattern> patterns{{"^$"}, {"a"}, {"^-?$"}};
  const PatternSet set = PatternSet::compile(patterns);
  EXPECT_THAT(candidates_of(set, ""), ElementsAre(0, 2));
  EXPECT_THAT(candidates_of(set, {}), ElementsAre(0, 2)) << "a field that is not there";
}

TEST(PatternSet, MemoryServesManySets) {
  ScanMemory memory;
  std::vector<uint32_t> ids;
  std::vector<PatternSet> sets;
  for (int i = 0; i < 20; ++i) {
    std::vector<PatternSet::Pattern> patterns;
    for (int j = 0; j <= i * 5; ++j) patterns.push_back({"x" + std::to_string(j) + ".*y\\d+z"});
    sets.push_back(PatternSet::compile(patterns));
  }
  for (const int i : {3, 19, 0, 7, 19, 12}) {
    sets[static_cast<size_t>(i)].candidates("x0 y12z", memory, ids);
    EXPECT_THAT(ids, ElementsAre(0)) << i;
  }
}

TEST(PatternSet, MissesNothingThatMatches) {
  const std::vector<std::string> texts{
      "^Failed (?:password|publickey) for (?:invalid user )?<USER> from <ADDR>(?: port \\d+)?$",
      "^(?:error: )?(?:PAM: )?Auth[a-z]+ fail\\w+ for <USER> from <ADDR>$",
      "^[Cc]onnection (?:closed|reset)? ?by (?:user <USER> )?<ADDR>", "rhost=<ADDR>"};
  const std::vector<std::string> lines{"Failed password for root from 192.0.2.1 port 1",
                                       "Failed publickey for invalid user x y from 2001:db8::1",
                                       "error: PAM: Authentication failure for a from 192.0.2.3",
                                       "Authz fail for a from 192.0.2.3",
                                       "connection by 192.0.2.4",
                                       "Connection closed by user x 192.0.2.4",
                                       "x rhost=192.0.2.1",
                                       "nothing"};
  std::vector<PatternSet::Pattern> patterns;
  for (const std::string& text : texts) patterns.push_back({expand_tags(text).value()});
  const PatternSet set = PatternSet::compile(patterns);
  Captures captures;
  int matches = 0;
  for (const std::string& line : lines)
    for (uint32_t id = 0; id < patterns.size(); ++id) {
      if (!Regex::compile(patterns[id].text).value().match(line, captures)) continue;
      ++matches;
      EXPECT_THAT(candidates_of(set, line), Contains(id)) << line;
    }
  EXPECT_EQ(matches, 6);
}

}  // namespace
}  // namespace palang
