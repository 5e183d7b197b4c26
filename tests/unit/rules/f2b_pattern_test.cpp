#include "rules/f2b_pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/f2b_dialect.hpp"

namespace palang::f2b {
namespace {

Fields fields_of(std::string_view pattern, std::string_view line, Pattern::Options options = {}) {
  auto compiled = Pattern::compile(pattern, options);
  EXPECT_TRUE(compiled.has_value()) << pattern;
  Captures captures;
  Fields fields;
  if (compiled && compiled->search({line, is_wide_utf8(line)}, captures)) compiled->update(captures, fields);
  return fields;
}

TEST(F2bDialect, WritesPythonForPcre) {
  EXPECT_EQ(to_pcre("a{,3}b{2,}c{2}", false), "a{0,3}b{2,}c{2}");
  EXPECT_EQ(to_pcre("a{,}", false), "a{0,}");
  EXPECT_EQ(to_pcre(R"({x} \{,3} [{,3}])", false), R"(\{x} \{,3} [{,3}])");
  EXPECT_EQ(to_pcre(R"(x\Z|\\Z)", false), R"(x\z|\\Z)");
  EXPECT_EQ(to_pcre("[[:alpha:]]", false), R"([\[:alpha:]])");
  EXPECT_EQ(to_pcre("[]a[b][^]x]", false), R"([]a\[b][^]x])");
  EXPECT_EQ(to_pcre("(?iu)a((?i)b)(?:(?i)c)(?u:d)", false), "(?i)a(?i:b)(?i:c)(?:d)");
  EXPECT_EQ(to_pcre("(?P<n>a)?(?(n)b|c)(?(1)d)", false), "(?P<n>a)?(?(<n>)b|c)(?(1)d)");
  EXPECT_EQ(to_pcre("a(?#comment)b", false), "ab");
  EXPECT_EQ(to_pcre(R"(\u00fc\U0001f600)", true), R"(\x{fc}\x{1f600})");
  EXPECT_EQ(to_pcre(R"(\u00fc)", false), "(?:\xc3\xbc)");
}

TEST(F2bDialect, AnEmptyLowerBoundIsZeroAsInPython) {
  // Compiling is no proof: PCRE2 10.42 would look for the text "{,2}".
  EXPECT_EQ(fields_of("^x(?: y){,2} <HOST>$", "x y y 192.0.2.1")["ip4"], "192.0.2.1");
  EXPECT_EQ(fields_of("^x(?: y){,2} <HOST>$", "x 192.0.2.1")["ip4"], "192.0.2.1");
  EXPECT_TRUE(fields_of("^x(?: y){,2} <HOST>$", "x y y y 192.0.2.1").empty());
}

TEST(F2bPattern, HostIsAnAddressOrAName) {
  EXPECT_EQ(fields_of("from <HOST>$", "from 192.0.2.1"), (Fields{{"ip4", "192.0.2.1"}}));
  EXPECT_EQ(fields_of("from <HOST>$", "from ::ffff:192.0.2.1"), (Fields{{"ip4", "192.0.2.1"}}));
  EXPECT_EQ(fields_of("from <HOST>$", "from [2001:db8::1]"), (Fields{{"ip6", "2001:db8::1"}}));
  EXPECT_EQ(fields_of("from <HOST>$", "from host.example.org"), (Fields{{"dns", "host.example.org"}}));
  EXPECT_TRUE(fields_of("from <HOST>$", "from host.example.org", {.names = false}).empty());
  EXPECT_TRUE(fields_of("from <ADDR>$", "from host.example.org").empty());
  EXPECT_EQ(fields_of("from <SUBNET>$", "from 192.0.2.0/24"), (Fields{{"cidr", "24"}, {"ip4", "192.0.2.0"}}));
  EXPECT_EQ(fields_of("<F-ID/> <F-PORT/>", "a!b http"), (Fields{{"fid", "a!b"}, {"fport", "http"}}));
}

TEST(F2bPattern, CustomTagsAreGroups) {
  EXPECT_EQ(fields_of("^user <F-USER>.*</F-USER> <HOST>$", "user me too 192.0.2.1"),
            (Fields{{"ip4", "192.0.2.1"}, {"user", "me too"}}));
  EXPECT_EQ(expand_tags("</F-USER> <no tag> <F-lower> <", true), "</F-USER> <no tag> <F-lower> <");
  EXPECT_EQ(
      fields_of("^(?:<F-ALT_USER_1>a+</F-ALT_USER_1>|<F-ALT_USER_2>b+</F-ALT_USER_2>) <ADDR>", "bb 192.0.2.1")["user"],
      "bb");
  EXPECT_EQ(fields_of("<F-ID>\\w+</F-ID> <F-TUPLE_ID>\\w+</F-TUPLE_ID>", "one two")["fid"], "one, two");
}

TEST(F2bPattern, GroupsThatTookNoPartReplaceOlderOnes) {
  auto pattern = Pattern::compile("^(?:<IP4>|name <DNS>)$", {});
  ASSERT_TRUE(pattern.has_value());
  Captures captures;
  Fields fields{{"ip4", "192.0.2.9"}, {"user", "me"}};
  ASSERT_TRUE(pattern->search({"name host"}, captures));
  pattern->update(captures, fields);
  EXPECT_EQ(fields, (Fields{{"dns", "host"}, {"user", "me"}}));
}

TEST(F2bPattern, LettersBeyondAsciiAreLettersInValidUtf8) {
  EXPECT_EQ(fields_of("^user (?P<user>\\w+) <ADDR>$", "user J\xc3\xbcrgen 192.0.2.1")["user"], "J\xc3\xbcrgen");
  EXPECT_EQ(fields_of("^user (?P<user>.+) <ADDR>$", "user \xff\xfe 192.0.2.1")["user"], "\xff\xfe");
  EXPECT_FALSE(is_wide_utf8("plain"));
  EXPECT_FALSE(is_wide_utf8("over\xc0\x80long, long enough"));
  EXPECT_FALSE(is_wide_utf8("12345678 surrogate \xed\xa0\x80"));
  EXPECT_TRUE(is_wide_utf8("12345678 fine \xf0\x9f\x98\x80"));
}

TEST(F2bPattern, ACoarseFormMatchesWhateverItMatches) {
  const auto coarse = [](std::string_view text) { return Pattern::compile(text, {})->coarse(); };
  EXPECT_EQ(coarse("^from <HOST>/<CIDR> by <F-USER>x{,2}</F-USER>$"), R"(^from \S+/\S+ by (?P<user>x{0,2})$)");
  const auto numbered = Pattern::compile(R"(<HOST> (a)\4)", {});
  ASSERT_TRUE(numbered.has_value());
  EXPECT_EQ(numbered->coarse(), numbered->expanded()) << "its groups must keep their numbers";
}

TEST(F2bPattern, ErrorsAreSentences) {
  const auto broken = Pattern::compile("a(<HOST>", {});
  ASSERT_FALSE(broken.has_value());
  EXPECT_THAT(broken.error().text, testing::HasSubstr("missing closing parenthesis"));
  EXPECT_FALSE(Pattern::compile("  ", {}).has_value());
  EXPECT_FALSE(Pattern::compile("<HOST> <HOST>", {}).has_value()) << "two groups of one name are an error in Python";
}

}  // namespace
}  // namespace palang::f2b
