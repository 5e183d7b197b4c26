#include "cli/render.hpp"

#include <gmock/gmock.h>

#include <ctime>

#include "cli/words.hpp"
#include "golden/api_replies.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::Not;

class Render : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "WIB-7", 1);
    ::tzset();
  }
  static View view(unsigned width = 0) { return {Style(false), width, *parse_utc("2025-01-11T18:00:05Z")}; }

  static BanView ban() {
    const auto reply = read_ban(
        std::string("{\"ban\":{").append(golden::ban_fields).append(",").append(golden::ban_extras).append("}}"));
    EXPECT_TRUE(reply.has_value());
    return reply ? reply->ban : BanView{};
  }
};

TEST_F(Render, StatusIsOneCalmScreen) {
  EXPECT_EQ(render_status(*read_status(golden::status), view()),
            "palang 0.1.0: 1 trouble\n"
            "  ! write to the ledger: no space left on device (ENOSPC)\n"
            "\n"
            "  Running     2d 13h, since 2025-01-09 12:00:00, process 812\n"
            "  Policy      default, enforced by xdp and nftables\n"
            "  XDP         native on eth0; wg0 not by XDP; 41.2 MB of kernel memory; 38 ns a packet\n"
            "              wg0: wg0 carries no Ethernet frames\n"
            "  Bans        1,234 intended, 1,233 in the kernel; 1,200 quiet, 34 full\n"
            "  Allowed     3\n"
            "  Open ports  tcp 22 80; udp 53\n"
            "  Protected   203.0.113.7 (live ssh peer)\n"
            "  Counted     judged 1,500, stopped 266\n"
            "  Packets     100 drop_full; 900 pass\n"
            "\n"
            "SOURCE                    LINES       BYTES  CUT  LOST  TROUBLE\n"
            "file:/var/log/kern.log  123,456  34,567,890    1     0  none\n"
            "kmsg                          7         900    0     2  open /dev/kmsg: permission denied\n");
}

TEST_F(Render, Allowed) {
  EXPECT_EQ(render_allowed(*read_allowed(golden::allowed), view()),
            "PREFIX        BY       ENDS            NOTE\n"
            "192.0.2.0/24  command  in 23h 30m      office\n"
            "192.0.2.254   host     while it is so  gateway\n");
  EXPECT_EQ(render_allowed({}, view()), "Nobody is allowed.\n");
}

TEST_F(Render, StatusOfAHealthyDaemonSaysSo) {
  StatusReply status;
  status.version = "0.1.0";
  const std::string text = render_status(status, view());
  EXPECT_THAT(text, testing::StartsWith("palang 0.1.0: healthy\n\n"));
  EXPECT_THAT(text, HasSubstr("  Open ports  none\n"));
  EXPECT_THAT(text, HasSubstr("  Counted     nothing yet\n"));
}

TEST_F(Render, ListSaysHowManyMoreThereAre) {
  EXPECT_EQ(render_bans({{ban()}, 99'001}, view()),
            "PREFIX           SCOPE  REASON                             ENDS        HITS  LAST SEEN\n"
            "198.51.100.0/24  quiet  refused 4 times, last at tcp/8083  in 23h 30m    12  5s ago\n"
            "… and 99,000 more (--limit 0 shows all)\n");
  EXPECT_EQ(render_bans({}, view()), "No bans.\n");
}

TEST_F(Render, WhyExplainsABan) {
  std::string json(golden::why_begin);
  json.append(golden::ban_fields).append(",").append(golden::ban_extras).append(golden::why_middle);
  json.append(golden::ban_fields).append(golden::why_end);
  EXPECT_EQ(render_why(*read_why(json), view()),
            "198.51.100.9 is banned, on every port that is not open to the public.\n"
            "  The ban is for its whole network, 198.51.100.0/24.\n"
            "  Rule blocked: refused 4 times, last at tcp/8083.\n"
            "  Anyone could have forged its packets, so this alone never closes an open port.\n"
            "  Since 2025-01-12 00:30:41 (29m 24s ago).\n"
            "  Ends 2025-01-13 00:30:41 (in 23h 30m).\n"
            "  Banned 1 time before.\n"
            "  Stopped 12 packets so far; last seen 5s ago.\n"
            "\n"
            "Decisions, newest first\n"
            "PREFIX           SCOPE  RULE     FROM                 UNTIL                ENDED   REASON\n"
            "198.51.100.0/24  quiet  blocked  2025-01-12 00:30:41  2025-01-13 00:30:41  active  refused 4 times, last "
            "at tcp/8083\n"
            "\n"
            "Evidence, newest first\n"
            "  2025-01-12 00:30:41  198.51.100.9  blocked\n"
            "      SRC=198.51.100.9 \\x1b[31m\n"
            "\n"
            "What to do\n"
            "  To let it in: palang unban 198.51.100.0/24\n");
}

TEST_F(Render, WhyOfTheFreeAndTheExempt) {
  ExplainReply why = *read_why(golden::why_nothing);
  EXPECT_EQ(render_why(why, view()), "192.0.2.1 is not banned.\n");
  why.exempt = "live ssh peer";
  EXPECT_EQ(render_why(why, view()), "192.0.2.1 is never banned: live ssh peer.\n");
}

TEST_F(Render, FullBansOfProvenOffendersSaySo) {
  ExplainReply why = *read_why(golden::why_nothing);
  why.ban = ban();
  why.ban->decision.scope = Scope::full;
  why.ban->decision.proof = Proof::application;
  const std::string text = render_why(why, view());
  EXPECT_THAT(text, HasSubstr("is banned, everywhere.\n"));
  EXPECT_THAT(text, Not(HasSubstr("forged")));
  why.ban->decision.proof = Proof::forgeable;
  EXPECT_THAT(render_why(why, view()), Not(HasSubstr("never closes an open port")));
}

TEST_F(Render, WatchIsALinePerChange) {
  Change change{ChangeKind::added, ban().decision, ban().decision.from, ""};
  EXPECT_EQ(render_record(change, view()),
            "2025-01-12 00:30:41  added     198.51.100.0/24     quiet  refused 4 times, last at tcp/8083, ends in "
            "1d\n");
  change.kind = ChangeKind::lifted;
  change.note = "by\x1bme";
  EXPECT_EQ(render_record(change, view()),
            "2025-01-12 00:30:41  lifted    198.51.100.0/24     quiet  refused 4 times, last at tcp/8083: by\\x1bme\n");
  EXPECT_EQ(render_record(Dropped{12}, view()), "… 12 changes not shown: they came faster than they were read\n");
}

TEST_F(Render, NoTextOfOthersReachesTheTerminalRaw) {
  StatusReply status = *read_status(golden::status);
  status.troubles = {"\x1b]0;x\x07"};
  status.sources[0].name = "file:/\x1b[2J";
  status.protected_now = {"\x1b[31m"};
  status.enforcement.reasons = {"\x1b[31m"};
  status.enforcement.interfaces = {{"\x1b[31m", "\x1b[31m", {"\x1b[31m"}}};
  status.enforcement.packets = {{"\x1b[31m", 1}};
  ExplainReply why = *read_why(golden::why_nothing);
  why.exempt = "\x1b[31m";
  why.advice = {"\x1b[31m"};
  EXPECT_THAT(render_status(status, view()) + render_why(why, view()), Not(HasSubstr("\x1b")));
}

TEST_F(Render, ColoursWhereAskedFor) {
  const View colourful{Style(true), 0, view().now};
  EXPECT_THAT(render_status(*read_status(golden::status), colourful), HasSubstr("\x1b[31m1 trouble\x1b[0m"));
}

TEST_F(Render, LongLinesKeepToTheTerminal) {
  StatusReply status = *read_status(golden::status);
  for (int port = 1000; port < 1040; ++port) status.open_tcp.push_back(std::to_string(port));
  std::istringstream lines(render_status(status, view(80)));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), 80U) << line;
}

}  // namespace
}  // namespace palang
