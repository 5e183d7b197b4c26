#include "parse/log_time.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace palang {
namespace {

class LogTime : public testing::Test {
 protected:
  LogTime() {
    setenv("TZ", "WIB-7", 1);
    tzset();
  }
  ~LogTime() override {
    unsetenv("TZ");
    tzset();
  }
  LogTimeReader times;
  WallTime newest{std::chrono::sys_days{std::chrono::year{2025} / 6 / 1}};
};

TEST_F(LogTime, OfManyServicesIsFound) {
  for (const char* time : {"2025-01-12T00:30:41+07:00",
                           "2025-01-11T17:30:41.5Z",
                           "2025-01-12 00:30:41",
                           "2025-01-12 00:30:41.123",
                           "2025-01-12 00:30:41,123",
                           "2025-01-12 00:30:41 WIB",
                           "2025-01-11 17:30:41 UTC",
                           "2025-01-11 17:30:41.123 GMT",
                           "2025-01-12 00:30:41 +0700",
                           "[2025-01-12 00:30:41]",
                           "[2025-01-11T17:30:41.000Z]",
                           "2025/01/12 00:30:41",
                           "12/Jan/2025:00:30:41 +0700",
                           "[12/Jan/2025:00:30:41.123456 +0700]",
                           "Sun Jan 12 00:30:41 2025",
                           "Sun Jan 12 00:30:41.123456 2025",
                           "[Sun Jan 12 00:30:41.123456 2025]",
                           "Jan 12 00:30:41",
                           "[Jan 12 00:30:41]",
                           "12-Jan-2025 00:30:41.123",
                           "250112  0:30:41",
                           "250112 00:30:41",
                           "2025-01-12  0:30:41",
                           "1736616641",
                           "1736616641.123",
                           "[1736616641]",
                           "2025:01:12-00:30:41"}) {
    for (const char* separator : {" ", ": ", ", "}) {
      const std::string line = std::string(time) + separator + "the message";
      const auto stamp = times.leading(line, newest);
      ASSERT_TRUE(stamp) << line;
      EXPECT_EQ(format_utc(stamp->at), "2025-01-11T17:30:41Z") << line;
      EXPECT_EQ(line.substr(stamp->length), "the message") << line;
    }
  }
}

TEST_F(LogTime, FractionsAreKept) {
  const auto stamp = times.leading("2025-01-12 00:30:41.123456 x", newest);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->at.time_since_epoch().count() % 1'000'000, 123'456);
}

TEST_F(LogTime, OtherTextIsNone) {
  for (const char* text :
       {"", "[", "x", "12", "login failed", "2025-13-12 00:30:41 x", "2025-02-30 00:30:41 x", "2025/01/12 25:30:41 x",
        "12345678901 x", "1736616641x", "[2025-01-12 00:30:41 x", "Sun Jan 12 00:30:41 x", "12-Jaz-2025 00:30:41 x",
        "999999  0:30:41 x", "192.0.2.1 - - [12/Jan/2025:00:30:41 +0700] x"})
    EXPECT_FALSE(times.leading(text, newest)) << text;
}

TEST_F(LogTime, OneAfterAnotherIsReadAsIfItWereTheFirst) {
  for (const char* line : {"12/Jan/2025:00:30:41 +0700", "12/Jan/2025:00:31:41 +0700", "12/01/2025:00:30:41 +0700",
                           "12/Jan/2025:00:30:41 +0000", "2025/01/12 01:30:41", "2025/01/12 00:30:41"}) {
    LogTimeReader fresh;
    const auto alone = fresh.leading(line, newest);
    const auto after = times.leading(line, newest);
    ASSERT_TRUE(alone && after) << line;
    EXPECT_EQ(alone->at, after->at) << line;
  }
}

}  // namespace
}  // namespace palang
