#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "rules/f2b_date_detector.hpp"
#include "rules/f2b_date_fields.hpp"
#include "unit/make.hpp"

namespace palang::f2b {
namespace {

// 60 minutes east of UTC in winter.
class F2bDates : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* zone = std::getenv("TZ")) before_ = zone;
    setenv("TZ", "CET-01CEST-02,M3.5.0,M10.5.0", 1);
    tzset();
  }
  void TearDown() override {
    if (before_.empty()) {
      unsetenv("TZ");
    } else {
      setenv("TZ", before_.c_str(), 1);
    }
    tzset();
  }

  // The time of the line, and the line without it.
  std::string read(std::string_view line, const std::vector<std::string>& patterns = {}) {
    auto detector = DateDetector::make(patterns, std::nullopt);
    if (!detector) return detector.error().text;
    return read(*detector, line);
  }
  std::string read(DateDetector& detector, std::string_view line) {
    Captures captures;
    const auto found = detector.find(line, captures, now_);
    if (!found) return "none";
    const std::string rest = std::string(line.substr(0, found->begin)) + "|" + std::string(line.substr(found->end));
    return (found->at ? format_utc(*found->at) : "no date") + " " + rest;
  }

  WallTime now_ = make::utc("2025-01-12T12:00:00Z");
  std::string before_;
};

TEST_F(F2bDates, AreFoundInEveryBuiltInFormat) {
  EXPECT_EQ(read("2025-01-11 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("2025-01-11T21:59:59.981+0300 x"), "2025-01-11T18:59:59Z | x");
  EXPECT_EQ(read("2025/01/11 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("Sat Jan 11 21:59:59.011 2025 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("Jan 11 21:59:59 host x"), "2025-01-11T20:59:59Z | host x");
  EXPECT_EQ(read("Jan  1 21:59:59 host x"), "2025-01-01T20:59:59Z | host x");
  EXPECT_EQ(read("Sat Jan 11 2025 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("11/01/2025 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("11-01-25 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("192.0.2.1 - - [11/Jan/2025:21:59:59 +0000] x"), "2025-01-11T21:59:59Z 192.0.2.1 - - [|] x");
  EXPECT_EQ(read("01/11/2025:21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("01-27-2024 16:22:44.252 x"), "2024-01-27T15:22:44Z | x");
  EXPECT_EQ(read("1736629199 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("[1736629199.500] x"), "2025-01-11T20:59:59Z [|] x");
  EXPECT_EQ(read("type=X msg=audit(1736629199.500:7): x"), "2025-01-11T20:59:59Z type=X msg=audit(|:7): x");
  EXPECT_EQ(read("10:59:59 x"), "2025-01-12T09:59:59Z | x");
  EXPECT_EQ(read("<01/11/25@21:59:59> x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("250111 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("Jan 11, 2025 9:59:59 PM x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("Jan-11-25 21:59:59 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("20250111T215959 x"), "2025-01-11T20:59:59Z | x");
  EXPECT_EQ(read("PDT Jan 11 21:59:59 x"), "2025-01-12T04:59:59Z | x");
  EXPECT_EQ(read("+00:00 Jan 11 21:59:59.011 2025 x"), "2025-01-11T21:59:59Z | x");
  EXPECT_EQ(read("@4000000067821acf00000000 x"), "2025-01-11T07:16:31Z | x");
  EXPECT_EQ(read("no date at all"), "none");
}

TEST_F(F2bDates, WithoutYearOrDayAreTheLatestThatFit) {
  EXPECT_EQ(read("Jan 13 12:00:00 x"), "2025-01-13T11:00:00Z | x") << "a day ahead is a matter of time zones";
  EXPECT_EQ(read("Jan 13 15:00:00 x"), "2024-01-13T14:00:00Z | x");
  EXPECT_EQ(read("Dec 31 23:59:59 x"), "2024-12-31T22:59:59Z | x");
  EXPECT_EQ(read("14:00:00 x"), "2025-01-11T13:00:00Z | x");
  EXPECT_EQ(read("Feb 29 01:00:00 x"), "no date | x") << "neither 2025 nor 2024 has it that way";
}

TEST_F(F2bDates, ThatAreNoneAreCutOutButNotBelieved) {
  EXPECT_EQ(read("2025-02-31 10:00:00 x"), "no date | x");
  EXPECT_EQ(read("Jan 11 29:00:00 x"), "no date | x");
}

TEST_F(F2bDates, FollowADatepattern) {
  EXPECT_EQ(read("x 11.01.2025 21h59 y", {R"(%d\.%m\.%Y %Hh%M)"}), "2025-01-11T20:59:00Z x | y");
  EXPECT_EQ(read("x 2025-01-11 21:59:59 y", {"{^LN-BEG}"}), "none");
  EXPECT_EQ(read("[2025-01-11 21:59:59] y", {"{^LN-BEG}"}), "2025-01-11T20:59:59Z [|] y");
  EXPECT_EQ(read("a [2025-01-11 21:59:59] y", {R"(^[^\[]*\[({DATE}))"}), "2025-01-11T20:59:59Z a [|] y");
  EXPECT_EQ(read("a [2025-01-11 21:59:59] y", {R"(^[^\[]*(\[{DATE}\s*\]))"}), "2025-01-11T20:59:59Z a | y");
  EXPECT_EQ(read("t=1736629199123 y", {R"(^t={LEPOCH})"}), "2025-01-11T20:59:59Z | y");
  EXPECT_EQ(read("2025-041 10:00:00 y", {"%Y-%j %H:%M:%S"}), "2025-02-10T09:00:00Z | y");
  EXPECT_EQ(read("Mon 2025 02 10:00:00 y", {"%a %Y %W %H:%M:%S"}), "2025-01-13T09:00:00Z | y");
  EXPECT_EQ(read("anything", {"{NONE}"}), "no date |anything");
  EXPECT_EQ(read("x", {"%Q"}), "the datepattern \"%Q\": \"%Q\" is no field of a date");
  EXPECT_EQ(read("x", {"(%Y"}).substr(0, 25), "the datepattern \"(%Y\": at");
}

TEST_F(F2bDates, InTheMessageAreNotTakenForThatOfTheLine) {
  auto detector = DateDetector::make({}, std::nullopt);
  ASSERT_TRUE(detector.has_value());
  for (int line = 0; line < 5; ++line)
    EXPECT_EQ(read(*detector, "Jan 11 21:59:59 host x: 2024-05-05 10:00:00"),
              "2025-01-11T20:59:59Z | host x: 2024-05-05 10:00:00");
}

TEST_F(F2bDates, HaveTheZoneThatIsGivenForThem) {
  auto detector = DateDetector::make({}, 120);
  ASSERT_TRUE(detector.has_value());
  EXPECT_EQ(read(*detector, "2025-01-11 21:59:59 x"), "2025-01-11T19:59:59Z | x");
  EXPECT_EQ(read(*detector, "2025-01-11 21:59:59 UTC x"), "2025-01-11T21:59:59Z | x");
  EXPECT_EQ(zone_minutes("CET"), 60);
  EXPECT_EQ(zone_minutes("UTC-0330"), -210);
  EXPECT_EQ(zone_minutes("+01"), 60);
  EXPECT_EQ(zone_minutes("XYZ"), std::nullopt);
}

}  // namespace
}  // namespace palang::f2b
