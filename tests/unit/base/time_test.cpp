#include "base/time.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>

#include "unit/make.hpp"

namespace palang {
namespace {

using std::chrono::hours;

TEST(ParseDuration, ReadsNumbersWithUnits) {
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("10m").value(), 10min);
  EXPECT_EQ(parse_duration("12h").value(), hours{12});
  EXPECT_EQ(parse_duration("3d").value(), hours{72});
  EXPECT_EQ(parse_duration("2w").value(), hours{14 * 24});
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("1d12h").value(), hours{36});
  EXPECT_EQ(parse_duration("0s").value(), 0s);
}

TEST(ParseDuration, RefusesEverythingElseInASentence) {
  for (const std::string_view text :
       {"", "3", "d", "3 d", " 3d", "3d ", "-3d", "+3d", "3y", "3D", "1.5h", "3dd", "d3", "0x3d", "3d4", "3\0d",
        "99999999999999999999d", "9223372036854775807s", "999999999999w999999999999w"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    EXPECT_NE(parsed.error().text.find("is not a duration"), std::string::npos) << parsed.error().text;
  }
}

TEST(FormatDuration, IsExactAndReadsBack) {
  EXPECT_EQ(format_duration(one_day * 3), "3d");
  EXPECT_EQ(format_duration(hours{36}), "1d12h");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(Duration{0}), "0s");
  EXPECT_EQ(format_duration(Duration{-5s}), "0s");
  for (const Duration length : {Duration{1ms}, Duration{61'001ms}, one_day * 28 + Duration{1ms}})
    EXPECT_EQ(parse_duration(format_duration(length)).value(), length);
}

TEST(ApproximateDuration, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(approximate_duration(one_day * 2 + hours{4} + 30min), "2d 4h");
  EXPECT_EQ(approximate_duration(35s), "35s");
  EXPECT_EQ(approximate_duration(999ms), "0s");
  EXPECT_EQ(approximate_duration(one_day + 5s), "1d");
}

TEST(FormatTime, UtcAndLocal) {
  const WallTime time = make::utc("2025-01-11T17:30:41Z") + 999'999us;
  EXPECT_EQ(format_utc(time), "2025-01-11T17:30:41Z");
  setenv("TZ", "Asia/Bangkok", 1);
  tzset();
  EXPECT_EQ(format_local(time), "2025-01-12 00:30:41");
  unsetenv("TZ");
  tzset();
}

TEST(SystemClock, RunsForward) {
  const SystemClock clock;
  const WallTime first = clock.now();
  EXPECT_GT(first, make::utc("2025-01-01T00:00:00Z"));
  EXPECT_GE(clock.now(), first);
}

}  // namespace
}  // namespace palang
