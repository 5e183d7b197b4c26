#include "cli/csf_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/csf_shapes.hpp"
#include "unit/cli/fake_daemon.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string http_reply(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

BanView ban(std::string_view prefix, Duration length, const std::string& note) {
  BanView view;
  view.decision.prefix = make::prefix(prefix);
  view.decision.from = make::noon;
  view.decision.until = make::noon + length;
  view.decision.origin = Origin::manual;
  view.decision.rule = Rule::manual;
  view.note = note;
  view.hits = 7;
  return view;
}

// One run of the command against a daemon that answers everything with `body`.
struct Ran {
  std::string out;
  std::vector<std::string> requests;
  Result<ExitCode> code = ExitCode::ok;
};

Ran run(const std::vector<std::string>& arguments, const std::string& body, const std::string& status = "200 OK") {
  FakeDaemon daemon([&](const std::string&) { return http_reply(body, status); });
  std::ostringstream out, err;
  std::istringstream in;
  Console console{out, err, in};
  const Session session{ApiClient(daemon.path()), console, false, make::noon};
  const CsfPolicy policy{[] { return fail("start"); }, [] { return fail("stop"); }};
  Ran ran;
  ran.code = run_csf(arguments, session, policy, "0.1.0");
  ran.requests = daemon.finish();
  ran.out = out.str();
  return ran;
}

TEST(CsfCommand, DeniesInAnyCaseAndSaysItAsCsfDoes) {
  for (const std::string option : {"-d", "-D", "--deny", "--Deny"}) {
    const Ran ran = run({option, "192.0.2.1", "too", "loud"}, R"({"ban":{}})");
    ASSERT_TRUE(ran.code) << ran.code.error().text;
    ASSERT_EQ(ran.requests.size(), 1U);
    EXPECT_THAT(ran.requests[0], HasSubstr("POST /v1/bans"));
    EXPECT_THAT(ran.requests[0],
                HasSubstr(R"({"prefix":"192.0.2.1","for":"3650d","reason":"too loud","scope":"full"})"));
    EXPECT_THAT(ran.out, HasSubstr("Adding 192.0.2.1 to csf.deny and iptables DROP...\n"
                                   "DROP  all opt -- in !lo out *  192.0.2.1  -> 0.0.0.0/0"));
  }
}

TEST(CsfCommand, TakesTimesToLive) {
  const Ran ran = run({"-td", "2001:db8::1", "2h", "-d", "in", "a", "test"}, R"({"ban":{}})");
  ASSERT_TRUE(ran.code);
  EXPECT_THAT(ran.requests.at(0), HasSubstr(R"({"prefix":"2001:db8::1","for":"7200s","reason":"a test"})"));
  EXPECT_THAT(ran.out, HasSubstr("csf: 2001:db8::1 blocked on port * for 7200 seconds inbound"));
  EXPECT_THAT(run({"-ta", "192.0.2.1", "600"}, R"({"lifted":0})").requests.at(0), HasSubstr(R"("for":"600s")"));
  EXPECT_THAT(run({"-ta", "192.0.2.1"}, R"({"lifted":0})").requests.at(0), HasSubstr(R"("for":"3600s")"));
}

TEST(CsfCommand, RefusesWhatABanCantDo) {
  const Ran ran = run({"-td", "192.0.2.1", "60", "-p", "22"}, "{}");
  ASSERT_FALSE(ran.code);
  EXPECT_THAT(ran.code.error().text, HasSubstr("[[firewall.rule]]"));
  EXPECT_TRUE(ran.requests.empty());
}

TEST(CsfCommand, SaysWhatIsNoAddress) {
  const Ran ran = run({"-d", "192.0.2.300"}, "{}");
  ASSERT_TRUE(ran.code);
  EXPECT_EQ(*ran.code, ExitCode::fault);
  EXPECT_EQ(ran.out, "deny failed: [192.0.2.300] is not a valid PUBLIC IP/CIDR\n");
  EXPECT_TRUE(ran.requests.empty());
}

TEST(CsfCommand, KnowsWhatIsNotThere) {
  const Ran ran =
      run({"-dr", "192.0.2.1"}, R"({"error":"192.0.2.1 is not banned","kind":"not_found"})", "404 Not Found");
  ASSERT_TRUE(ran.code);
  EXPECT_EQ(*ran.code, ExitCode::not_found);
  EXPECT_EQ(ran.out, "csf: 192.0.2.1 not found in csf.deny\n");
  EXPECT_FALSE(run({"--frobnicate"}, "{}").code);
  EXPECT_THAT(run({}, "{}").out, HasSubstr("Usage: csf OPTION"));
  EXPECT_EQ(run({"-V"}, "{}").out, "csf: v0.1.0 (palang)\n");
}

TEST(CsfShapes, TableOfTemporaryEntries) {
  const BansReply bans{{ban("192.0.2.1", 1h, "Manually added"), ban("192.0.2.2", one_day * 3650, "for good")}, 2};
  const AllowedReply allowed{{{make::prefix("198.51.100.7"), "command", make::noon, make::noon + 26h, "a guest"},
                              {make::prefix("198.51.100.8"), "command", make::noon, WallTime::max(), "office"}}};
  EXPECT_EQ(temporary_table(bans, allowed, make::noon + 12s),
            "\nA/D   IP address                               Port   Dir   Time To Live     Comment\n"
            "DENY  192.0.2.1                                  *    in    59m 48s          Manually added\n"
            "ALLOW 198.51.100.7                               *    inout 1d 1h 59m 48s    a guest\n");
  EXPECT_EQ(temporary_table({}, {}, make::noon), "csf: There are no temporary IP entries\n");
}

TEST(CsfShapes, WhatIsDoneAboutAnAddress) {
  const BansReply bans{{ban("192.0.2.0/24", 1h, "too loud"), ban("192.0.2.1", one_day * 3650, "for good")}, 2};
  const std::string text = grep_text(make::prefix("192.0.2.1"), bans, {}, make::noon);
  EXPECT_THAT(text, HasSubstr("\nTable  Chain            num   pkts bytes target     prot opt in     out     source    "
                              "           destination"));
  EXPECT_THAT(text, HasSubstr("filter DENYIN           1        7     0 DROP       all  --  !lo    *       "
                              "192.0.2.0/24         0.0.0.0/0"));
  EXPECT_THAT(text, HasSubstr("No matches found for 192.0.2.1 in ip6tables"));
  EXPECT_THAT(text, HasSubstr("\nTemporary Blocks: IP:192.0.2.0/24 Port: Dir:in TTL:3600 (too loud)"));
  EXPECT_THAT(text, HasSubstr("\ncsf.deny: 192.0.2.1 # for good - 2025-01-12T12:00:00Z"));
  EXPECT_THAT(text, Not(HasSubstr("in iptables")));
}

}  // namespace
}  // namespace palang
