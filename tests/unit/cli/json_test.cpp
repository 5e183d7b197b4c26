#include "cli/json.hpp"

#include <gmock/gmock.h>

#include "golden/api_replies.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string golden_ban() {
  return std::string("{").append(golden::ban_fields).append(",").append(golden::ban_extras).append("}");
}

void expect_sample(const Decision& decision) {
  EXPECT_EQ(decision.id, 7U);
  EXPECT_EQ(decision.prefix, *Prefix::parse("198.51.100.0/24"));
  EXPECT_EQ(format_utc(decision.from), "2025-01-11T17:30:41Z");
  EXPECT_EQ(decision.until - decision.from, one_day);
  EXPECT_EQ(reason_text(decision), "refused 4 times, last at tcp/8083");
  EXPECT_EQ(decision.repeat, 1);
}

TEST(ReadJson, Status) {
  const auto status = read_status(golden::status);
  ASSERT_TRUE(status.has_value()) << status.error().text;
  EXPECT_EQ(status->pid, 812);
  EXPECT_EQ(status->bans_intended, 1234U);
  EXPECT_EQ(status->bans_in_kernel, 1233U);
  EXPECT_EQ(status->sources[0].counters.bytes, 34'567'890U);
  EXPECT_EQ(status->sources[0].trouble, "");
  EXPECT_EQ(status->sources[1].trouble, "open /dev/kmsg: permission denied");
  EXPECT_EQ(status->counters[1].name, "stopped");
  EXPECT_THAT(status->open_tcp, ElementsAre("22", "80"));
  EXPECT_THAT(status->protected_now, ElementsAre("203.0.113.7 (live ssh peer)"));
  EXPECT_EQ(status->troubles.size(), 1U);
}

TEST(ReadJson, Bans) {
  const auto bans = read_bans(R"({"total":99050,"bans":[)" + golden_ban() + "," + golden_ban() + "]}");
  ASSERT_TRUE(bans.has_value()) << bans.error().text;
  EXPECT_EQ(bans->total, 99'050U);
  ASSERT_EQ(bans->bans.size(), 2U);
  expect_sample(bans->bans[1].decision);
  EXPECT_EQ(bans->bans[1].hits, 12U);
  EXPECT_EQ(format_utc(bans->bans[1].last_seen), "2025-01-11T18:00:00Z");
}

TEST(ReadJson, Allowed) {
  const auto reply = read_allowed(golden::allowed);
  ASSERT_TRUE(reply.has_value()) << reply.error().text;
  ASSERT_EQ(reply->allowed.size(), 2U);
  EXPECT_EQ(reply->allowed[0].prefix.text(), "192.0.2.0/24");
  EXPECT_EQ(reply->allowed[0].until - reply->allowed[0].from, one_day);
  EXPECT_EQ(reply->allowed[1].until, WallTime::max());
  EXPECT_EQ(reply->allowed[1].note, "gateway");
  EXPECT_FALSE(read_allowed(R"({"allowed":[{"prefix":"192.0.2.7/24"}]})").has_value());
}

// The words for what a rule of a file has found are the daemon's.
TEST(ReadJson, TakesTheReasonOfARuleFromTheDaemon) {
  std::string ban = golden_ban();
  const auto change = [&](std::string_view what, std::string_view into) {
    ban.replace(ban.find(what), what.size(), into);
  };
  change(R"("rule":"blocked")", R"("rule":"json-test-login")");
  change("refused 4 times, last at tcp/8083", "5 failed ssh logins within 10 minutes");
  const auto bans = read_bans(R"({"total":1,"bans":[)" + ban + "]}");
  ASSERT_TRUE(bans.has_value()) << bans.error().text;
  EXPECT_THAT(bans->bans[0].note, testing::StartsWith("5 failed ssh logins within 10 minutes"));
}

TEST(ReadJson, Why) {
  std::string text(golden::why_begin);
  text.append(golden::ban_fields).append(",").append(golden::ban_extras).append(golden::why_middle);
  text.append(golden::ban_fields).append(golden::why_end);
  const auto why = read_why(text);
  ASSERT_TRUE(why.has_value()) << why.error().text;
  ASSERT_TRUE(why->ban.has_value());
  expect_sample(why->ban->decision);
  expect_sample(why->decisions.at(0).decision);
  EXPECT_EQ(why->decisions[0].how_it_ended, "");
  EXPECT_EQ(why->evidence.at(0).line, "SRC=198.51.100.9 \x1b[31m");
  EXPECT_EQ(why->advice.size(), 1U);

  const auto nothing = read_why(golden::why_nothing);
  ASSERT_TRUE(nothing.has_value());
  EXPECT_FALSE(nothing->ban.has_value());
}

TEST(ReadJson, WatchRecords) {
  const auto change =
      read_record(std::string(golden::change_begin).append(golden::ban_fields).append(R"(,"note":"too loud"})"));
  ASSERT_TRUE(change.has_value()) << change.error().text;
  expect_sample(std::get<Change>(*change).decision);
  EXPECT_EQ(std::get<Change>(*change).kind, ChangeKind::added);
  EXPECT_EQ(std::get<Change>(*change).note, "too loud");
  EXPECT_EQ(std::get<Dropped>(*read_record(R"({"dropped":12})")).changes, 12U);
}

TEST(ReadJson, WhatIsNotUnderstoodIsASentence) {
  for (const std::string_view text :
       {"", "{}", "[]", "null", "<html>", R"({"total":1,"bans":[{"prefix":"x"}]})", R"({"total":"\ud800"})"}) {
    const auto bans = read_bans(text);
    ASSERT_FALSE(bans.has_value()) << text;
    EXPECT_THAT(bans.error().text, HasSubstr("read the daemon's reply: "));
    EXPECT_FALSE(read_status(text).has_value()) << text;
    EXPECT_FALSE(read_why(text).has_value()) << text;
    EXPECT_FALSE(read_record(text).has_value()) << text;
  }
}

TEST(ReadJson, ErrorsKeepTheirKind) {
  EXPECT_EQ(read_error(R"({"error":"x is not banned","kind":"not_found"})", 404).kind, ErrorKind::not_found);
  EXPECT_EQ(read_error(R"({"error":"no such key","kind":"bad_config"})", 422).kind, ErrorKind::bad_config);
  EXPECT_EQ(read_error(R"({"error":"limit","kind":"usage"})", 400).text, "limit");
  EXPECT_EQ(read_error("<html>", 413).text, "the daemon refused with HTTP status 413");
  EXPECT_EQ(read_error(R"({"error":7})", 500).kind, ErrorKind::fault);
}

TEST(WriteJson, EmptyMembersAreLeftOut) {
  EXPECT_EQ(body_json({{"prefix", "192.0.2.1"}, {"for", ""}, {"reason", "a \"b\"\n\xff"}}),
            R"({"prefix":"192.0.2.1","reason":"a \"b\"\n\ufffd"})");
}

}  // namespace
}  // namespace palang
