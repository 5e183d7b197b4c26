#include "api/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "samples.hpp"

namespace palang {
namespace {

TEST(Json, StatusIsThePublicContract) {
  EXPECT_EQ(reply_json(sample_status()), golden::status);
}

TEST(Json, BansAreThePublicContract) {
  const BansReply bans{{sample_ban()}, 99'050};
  EXPECT_EQ(reply_json(bans), R"({"total":99050,"bans":[)" + golden_ban() + "]}");
  EXPECT_EQ(reply_json(BansReply{}), R"({"total":0,"bans":[]})");
}

TEST(Json, WhyIsThePublicContract) {
  std::string expected(golden::why_begin);
  expected.append(golden::ban_fields).append(",").append(golden::ban_extras).append(golden::why_middle);
  expected.append(golden::ban_fields).append(golden::why_end);
  EXPECT_EQ(reply_json(sample_why()), expected);

  ExplainReply nothing;
  nothing.address = *Address::parse("192.0.2.1");
  EXPECT_EQ(reply_json(nothing), golden::why_nothing);
}

TEST(Json, SmallReplies) {
  EXPECT_EQ(reply_json(BanReply{sample_ban()}), R"({"ban":)" + golden_ban() + "}");
  EXPECT_EQ(reply_json(CountReply{3}), R"({"lifted":3})");
  EXPECT_EQ(reply_json(DoneReply{{"the configuration was read again"}}),
            R"({"notes":["the configuration was read again"]})");
  EXPECT_EQ(error_json(Error::not_found("198.51.100.9 is not banned")),
            R"({"error":"198.51.100.9 is not banned","kind":"not_found"})");
  EXPECT_EQ(dropped_json(12), R"({"dropped":12})");
}

TEST(Json, Allowed) {
  AllowedReply reply;
  reply.allowed.push_back(
      {*Prefix::parse("192.0.2.0/24"), "command", sample_decision().from, sample_decision().from + one_day, "office"});
  reply.allowed.push_back({*Prefix::parse("192.0.2.254"), "host", {}, WallTime::max(), "gateway"});
  EXPECT_EQ(reply_json(reply), golden::allowed);
}

TEST(Json, ChangeIsOneFlatRecord) {
  const Change change{ChangeKind::added, sample_decision(), sample_decision().from, "too loud"};
  EXPECT_EQ(change_json(change),
            std::string(golden::change_begin).append(golden::ban_fields).append(R"(,"note":"too loud"})"));
}

TEST(Json, TimesThatAreNoneAreNull) {
  BanView ban = sample_ban();
  ban.last_seen = {};
  ban.decision.until = WallTime::max();
  const auto json = nlohmann::json::parse(reply_json(BanReply{ban}));
  EXPECT_TRUE(json["ban"]["last_seen"].is_null());
  EXPECT_TRUE(json["ban"]["until"].is_null());
}

TEST(Json, TextOfAnAttackerStaysAsciiWithoutControls) {
  ExplainReply why = sample_why();
  why.evidence[0].line = "a\x1b]0;x\x07 \x7f \xff\xfe \xc2\x9b \"quoted\"\n";
  const std::string text = reply_json(why);
  for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  EXPECT_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
}

TEST(Json, PagesOfALongListAreTheList) {
  BansReply bans;
  bans.bans.assign(1000, sample_ban());
  bans.total = 1000;
  BansPages pages(bans);
  std::string all;
  size_t count = 0;
  while (!pages.done()) {
    const std::string page = pages.next();
    EXPECT_LT(page.size(), 66'000U);
    all.append(page);
    ++count;
  }
  EXPECT_GT(count, 4U);
  const auto json = nlohmann::json::parse(all);
  EXPECT_EQ(json["bans"].size(), 1000U);
  EXPECT_EQ(json["bans"][999]["prefix"], "198.51.100.0/24");
}

}  // namespace
}  // namespace palang
