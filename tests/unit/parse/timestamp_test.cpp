#include "parse/timestamp.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::utc;
using std::string_view_literals::operator""sv;

std::optional<WallTime> iso(std::string_view text) {
  TimestampReader reader;
  const auto stamp = reader.iso(text);
  if (!stamp) return {};
  EXPECT_EQ(stamp->length, text.size()) << text;
  return stamp->at;
}

TEST(IsoTimestamp, ReadsEveryOffsetForm) {
  const WallTime wanted = utc("2025-01-11T17:30:41Z");
  for (const char* text :
       {"2025-01-12T00:30:41+07:00", "2025-01-12T00:30:41+0700", "2025-01-12T00:30:41+07", "2025-01-11T17:30:41Z",
        "2025-01-11T17:30:41z", "2025-01-11T17:30:41+00:00", "2025-01-11T17:30:41-00:00", "2025-01-11T14:00:41-03:30",
        "2025-01-11T23:00:41+0530", "2025-01-11 17:30:41Z", "2025-01-11T17:30:41.000000Z", "2025-01-11T17:30:41,000Z"})
    EXPECT_EQ(iso(text), wanted) << text;
}

TEST(IsoTimestamp, KeepsMicroseconds) {
  EXPECT_EQ(iso("2025-01-12T00:30:41.931343+07:00"), utc("2025-01-11T17:30:41Z") + 931'343us);
  EXPECT_EQ(iso("2025-01-11T17:30:41.5Z"), utc("2025-01-11T17:30:41Z") + 500ms);
  EXPECT_EQ(iso("2025-01-11T17:30:41.123456789Z"), utc("2025-01-11T17:30:41Z") + 123'456us);
}

TEST(IsoTimestamp, KnowsTheCalendar) {
  EXPECT_EQ(iso("2024-02-29T23:59:59Z"), utc("2024-02-29T23:59:59Z"));
  EXPECT_EQ(iso("2024-12-31T23:59:60Z"), utc("2024-12-31T23:59:59Z")) << "a leap second";
  EXPECT_EQ(iso("2025-01-01T00:00:00+01:00"), utc("2024-12-31T23:00:00Z"));
  for (const char* text :
       {"2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-01-32T00:00:00Z",
        "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:61Z"})
    EXPECT_FALSE(iso(text)) << text;
}

TEST(IsoTimestamp, RefusesOtherForms) {
  for (const auto text : {""sv, "2025-01-12"sv, "2025-01-12T00:30:41"sv, "2025-01-12T00:30:41+"sv,
                          "2025-01-12T00:30:41+7:00"sv, "2025-01-12T00:30:41+24:00"sv, "2025-01-12T00:30:41+07:60"sv,
                          "2025/01/12T00:30:41Z"sv, "2025-01-12X00:30:41Z"sv, "2025-01-12T00:30Z      "sv,
                          "-025-01-12T00:30:41Z"sv, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:41Z"sv})
    EXPECT_FALSE(iso(text)) << text;
}

TEST(IsoTimestamp, MemoryOfTheMinuteChangesNothing) {
  TimestampReader reader;
  const auto read = [&](std::string_view text) { return reader.iso(text)->at; };
  EXPECT_EQ(read("2025-01-12T00:30:41Z"), utc("2025-01-12T00:30:41Z"));
  EXPECT_EQ(read("2025-01-12T00:30:07+01:00"), utc("2025-01-11T23:30:07Z"));
  EXPECT_FALSE(reader.iso("2025-02-30T00:30:07Z"));
  EXPECT_EQ(read("2025-01-12T00:30:59Z"), utc("2025-01-12T00:30:59Z"));
  EXPECT_EQ(read("2025-01-12T00:31:00Z"), utc("2025-01-12T00:31:00Z"));
}

class BsdTimestamp : public testing::Test {
 protected:
  BsdTimestamp() { use_zone("Europe/Berlin"); }
  ~BsdTimestamp() override {
    unsetenv("TZ");
    tzset();
  }
  static void use_zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  std::optional<WallTime> read(std::string_view text, WallTime newest) {
    const auto stamp = reader_.bsd(text, newest);
    if (!stamp) return {};
    EXPECT_EQ(stamp->length, 15U);
    return stamp->at;
  }

 private:
  TimestampReader reader_;
};

TEST_F(BsdTimestamp, IsLocalTime) {
  EXPECT_EQ(read("Jan 12 00:49:59", utc("2025-01-12T08:00:00Z")), utc("2025-01-11T23:49:59Z"));
  EXPECT_EQ(read("Jul  2 15:04:05", utc("2025-08-01T00:00:00Z")), utc("2025-07-02T13:04:05Z"));
  EXPECT_EQ(read("Jul 02 15:04:05", utc("2025-08-01T00:00:00Z")), utc("2025-07-02T13:04:05Z"));
  EXPECT_EQ(read("Jan 12 00:49:60", utc("2025-01-12T08:00:00Z")), utc("2025-01-11T23:49:59Z")) << "a leap second";
}

TEST_F(BsdTimestamp, TakesTheYearFromTheNewestPossible) {
  const WallTime new_year = utc("2025-01-01T00:10:00Z");
  EXPECT_EQ(read("Dec 31 23:59:59", new_year), utc("2024-12-31T22:59:59Z"));
  EXPECT_EQ(read("Jan  1 00:59:00", new_year), utc("2024-12-31T23:59:00Z"));
  EXPECT_EQ(read("Jan  2 00:00:00", new_year), utc("2025-01-01T23:00:00Z")) << "a clock that is a day ahead";
  EXPECT_EQ(read("Jan  3 00:00:00", new_year), utc("2024-01-02T23:00:00Z"));
  EXPECT_EQ(read("Jan  1 00:59:00", utc("2024-12-31T23:30:00Z")), utc("2024-12-31T23:59:00Z"));
}

TEST_F(BsdTimestamp, FollowsNewYearLineByLine) {
  EXPECT_EQ(read("Dec 31 23:59:58", utc("2024-12-31T22:59:58Z")), utc("2024-12-31T22:59:58Z"));
  EXPECT_EQ(read("Jan  1 00:00:01", utc("2024-12-31T23:00:01Z")), utc("2024-12-31T23:00:01Z"));
  EXPECT_EQ(read("Dec 31 23:59:59", utc("2024-12-31T23:00:02Z")), utc("2024-12-31T22:59:59Z")) << "a late line";
}

TEST_F(BsdTimestamp, MemoryOfTheHourDoesNotOutliveItsYear) {
  EXPECT_EQ(read("Jan 12 00:49:59", utc("2024-03-01T00:00:00Z")), utc("2024-01-11T23:49:59Z"));
  EXPECT_EQ(read("Jan 12 00:49:59", utc("2025-01-12T00:00:00Z")), utc("2025-01-11T23:49:59Z"));
  EXPECT_EQ(read("Jan 12 00:49:59", utc("2024-03-01T00:00:00Z")), utc("2024-01-11T23:49:59Z")) << "an older file";
}

TEST_F(BsdTimestamp, February29IsOfALeapYear) {
  EXPECT_EQ(read("Feb 29 12:00:00", utc("2024-03-01T00:00:00Z")), utc("2024-02-29T11:00:00Z"));
  EXPECT_EQ(read("Feb 29 12:00:00", utc("2027-01-01T00:00:00Z")), utc("2024-02-29T11:00:00Z"));
  EXPECT_FALSE(read("Feb 30 12:00:00", utc("2024-03-01T00:00:00Z")));
  EXPECT_FALSE(read("Apr 31 12:00:00", utc("2024-06-01T00:00:00Z")));
}

TEST_F(BsdTimestamp, TheHourThatComesTwiceRunsForward) {
  const WallTime newest = utc("2024-10-28T00:00:00Z");
  EXPECT_EQ(read("Oct 27 01:59:59", newest), utc("2024-10-26T23:59:59Z"));
  EXPECT_EQ(read("Oct 27 02:00:10", newest), utc("2024-10-27T00:00:10Z"));
  EXPECT_EQ(read("Oct 27 02:59:50", newest), utc("2024-10-27T00:59:50Z"));
  EXPECT_EQ(read("Oct 27 02:59:48", newest), utc("2024-10-27T00:59:48Z")) << "a little out of order";
  EXPECT_EQ(read("Oct 27 02:00:05", newest), utc("2024-10-27T01:00:05Z"));
  EXPECT_EQ(read("Oct 27 02:30:00", newest), utc("2024-10-27T01:30:00Z"));
  EXPECT_EQ(read("Oct 27 02:59:59", newest), utc("2024-10-27T01:59:59Z"));
  EXPECT_EQ(read("Oct 27 03:00:00", newest), utc("2024-10-27T02:00:00Z"));
}

TEST_F(BsdTimestamp, TheHourThatComesTwiceIsKnownWhereWinterIsTheException) {
  use_zone("Europe/Dublin");  // standard time is summer's; in winter tm_isdst is set
  const WallTime newest = utc("2024-10-28T00:00:00Z");
  EXPECT_EQ(read("Oct 27 01:30:00", newest), utc("2024-10-27T00:30:00Z"));
  EXPECT_EQ(read("Oct 27 01:00:05", newest), utc("2024-10-27T01:00:05Z"));
  EXPECT_EQ(read("Oct 27 02:00:00", newest), utc("2024-10-27T02:00:00Z"));
}

TEST_F(BsdTimestamp, TheHourThatIsSkipped) {
  const WallTime newest = utc("2025-03-31T00:00:00Z");
  EXPECT_EQ(read("Mar 30 01:59:59", newest), utc("2025-03-30T00:59:59Z"));
  EXPECT_EQ(read("Mar 30 03:00:00", newest), utc("2025-03-30T01:00:00Z"));
  const auto skipped = read("Mar 30 02:30:00", newest);
  ASSERT_TRUE(skipped) << "no clock shows it, but a line with it is no reason to lose it";
  EXPECT_LE(std::chrono::abs(*skipped - utc("2025-03-30T01:00:00Z")), Duration{1h});
}

TEST_F(BsdTimestamp, RefusesOtherForms) {
  const WallTime newest = utc("2025-08-01T00:00:00Z");
  for (const char* text :
       {"", "Jan 12", "jan 12 00:49:59", "Jan 32 00:49:59", "Jan  0 00:49:59", "Jan 12 24:49:59", "Jan 12 00:60:59",
        "Jan 12 00:49:61", "Jan 12 00-49-59", "Jan1200:49:59xx", "Jan -1 00:49:59", "Foo 12 00:49:59"})
    EXPECT_FALSE(read(text, newest)) << text;
}

}  // namespace
}  // namespace palang
