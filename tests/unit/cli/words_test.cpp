#include "cli/words.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

TEST(Words, PrintableKeepsLanguagesAndDefusesTheRest) {
  EXPECT_EQ(printable("Büro, 事務所, офис"), "Büro, 事務所, офис");
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a\\x1b[31mb\\x0a\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // C1 control
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xaeb");  // right-to-left override
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80\xe4"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe4");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Words, CutCountsCodePoints) {
  EXPECT_EQ(columns_of("Büro"), 4U);
  EXPECT_EQ(cut_to("Bürohaus", 8), "Bürohaus");
  EXPECT_EQ(cut_to("Bürohaus", 4), "Bür…");
  EXPECT_EQ(cut_to("Bürohaus", 1), "…");
  EXPECT_EQ(cut_to("Bürohaus", 0), "");
}

TEST(Words, WrappedKeepsToTheWidth) {
  EXPECT_EQ(wrapped("one two three", 0, 4), "one two three");
  EXPECT_EQ(wrapped("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrapped("overlongword two", 8, 2), "overlongword\n  two");
}

TEST(Words, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(counted(1, "ban"), "1 ban");
  EXPECT_EQ(counted(2'000, "ban"), "2,000 bans");
}

TEST(Words, TimesRoundTrip) {
  for (const std::string text : {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2025-01-11T17:30:41Z"}) {
    const auto time = parse_utc(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(format_utc(*time), text);
  }
  for (const std::string text :
       {"", "2025-01-11", "2025-02-29T00:00:00Z", "2025-01-11T24:00:00Z", "2025-01-11T17:30:41",
        "2025-01-11T17:30:41+07:00", "2025-01-1117:30:41ZZ", "2025-01-11T17:30:41Zx"})
    EXPECT_FALSE(parse_utc(text).has_value()) << text;
}

TEST(Words, RelativeTimes) {
  const WallTime now = *parse_utc("2025-01-11T17:30:41Z");
  EXPECT_EQ(relative(now + Duration{23h + 12min + 5s}, now), "in 23h 12m");
  EXPECT_EQ(relative(now - Duration{5min}, now), "5m ago");
  EXPECT_EQ(relative(now + Duration{300ms}, now), "now");
  EXPECT_EQ(relative(WallTime{}, now), "never");
  EXPECT_EQ(relative(WallTime::max(), now), "without end");
}

}  // namespace
}  // namespace palang
