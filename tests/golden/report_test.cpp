// What `palang replay --json` prints: a public contract, byte for byte (timings aside).

#include "app/report.hpp"

#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;

SurveyResult five_events() {
  SurveyResult result;
  result.lines = 7;
  result.events = 5;
  result.sources = 2;
  result.first = noon;
  result.last = noon + 96h;
  result.policies.push_back({"classic", 2, 1.5, 2, 512});
  result.policies.push_back({"default", 2, 1.125, 2, 2});
  result.policies.push_back({"off", 0, 0, 0, 0});
  return result;
}

TEST(ReportJson, IsOneLineWithTheFieldsOfTheContract) {
  EXPECT_EQ(
      report_json(five_events(), 0.5),
      R"({"lines":7,"events":5,"sources":2,"seconds":0.5,"lines_per_second":14,"per_minute_before":0.000868,"policies":[)"
      R"({"name":"classic","stopped_percent_of_later":66.666667,"per_minute_after":0.000521,"list_mean":1.5,)"
      R"("list_peak":2,"addresses_per_attacker":256.0},)"
      R"({"name":"default","stopped_percent_of_later":66.666667,"per_minute_after":0.000521,"list_mean":1.125,)"
      R"("list_peak":2,"addresses_per_attacker":1.0},)"
      R"({"name":"off","stopped_percent_of_later":0.0,"per_minute_after":0.000868,"list_mean":0.0,)"
      R"("list_peak":0,"addresses_per_attacker":0.0}]})"
      "\n");
}

TEST(ReportJson, OfNothingHoldsNumbersToo) {
  SurveyResult nothing;
  nothing.policies.push_back({"default", 0, 0, 0, 0});
  const std::string json = report_json(nothing, 0);
  EXPECT_NE(json.find(R"("per_minute_before":0.0)"), std::string::npos) << json;
  EXPECT_EQ(json.find("null"), std::string::npos) << json;
  EXPECT_EQ(json.find("nan"), std::string::npos) << json;
}

}  // namespace
}  // namespace palang
