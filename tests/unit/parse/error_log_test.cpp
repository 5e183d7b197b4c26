#include "parse/error_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parse/entry_reader.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using testing::ElementsAre;

std::optional<LogLine> read(std::string_view line) {
  LogTimeReader times;
  return read_error_line(line, times);
}

std::optional<WafHit> read_waf(std::string_view line) {
  const auto read_line = read(line);
  return read_line ? read_waf_message(*read_line) : std::nullopt;
}

std::vector<uint32_t> ids_of(const WafHit& hit) {
  return {hit.rule_ids.begin(), hit.rule_ids.begin() + hit.rules};
}

TEST(ErrorLog, OfNginx) {
  const auto line =
      read(R"(2025/01/12 00:30:41 [error] 12#34: *56 user "x" was not found in "/p", client: 192.0.2.9, server: s)");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->program, "nginx");
  EXPECT_EQ(line->message, R"(user "x" was not found in "/p", client: 192.0.2.9, server: s)");
  EXPECT_EQ(read("2025/01/12 00:30:41 [notice] 12#34: signal process started")->message, "signal process started");
}

TEST(ErrorLog, OfApache) {
  const auto line = read(
      "[Sun Jan 12 00:30:41.123456 2025] [auth_basic:error] [pid 12:tid 345] [client 192.0.2.9:50000] AH01617: user x");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->program, "apache");
  EXPECT_EQ(line->message, "[client 192.0.2.9:50000] AH01617: user x");
  EXPECT_EQ(read("[Sun Jan 12 00:30:41 2025] [error] [client 192.0.2.9] File does not exist: /x")->message,
            "[client 192.0.2.9] File does not exist: /x");
  EXPECT_EQ(
      read("[Sun Jan 12 00:30:41 2025] [core:info] [pid 1] (13)Permission denied: [client 192.0.2.9:5] AH00035: x")
          ->message,
      "[client 192.0.2.9:5] AH00035: x");
}

TEST(ErrorLog, OfApacheBySyslogHasNoTimeOfItsOwn) {
  constexpr std::string_view message =
      "[authz_core:error] [pid 12:tid 345] [client 192.0.2.9:50000] AH01630: client denied by server configuration: /x";
  EntryReader reader;
  LogEntry entry;
  EXPECT_FALSE(reader.read(message, LineFormat::error, make::noon, entry)) << "a line of a file has one";
  entry.line.program = "apache2";
  ASSERT_TRUE(reader.read(message, LineFormat::error, make::noon, entry));
  EXPECT_EQ(entry.line.at, make::noon);
  EXPECT_EQ(entry.line.program, "apache2");
  EXPECT_EQ(entry.line.message, "[client 192.0.2.9:50000] AH01630: client denied by server configuration: /x");
}

TEST(ErrorLog, OtherLinesAreNone) {
  for (const char* line :
       {"", "[", "2025/01/12 00:30:41 x", "2025/01/12 00:30:41 [error] x", "[Sun Jan 12 00:30:41 2025] x",
        "Jan 12 00:30:41 h sshd[1]: x", "[Sun Jan 12 00:30:41 2025]"})
    EXPECT_FALSE(read(line)) << line;
}

TEST(WafMessage, OfVersion2) {
  const auto hit = read_waf(
      R"x([Sun Jan 12 00:30:41 2025] [:error] [pid 7] [client 192.0.2.9:5] [client 192.0.2.9] ModSecurity: Access denied with code 403 (phase 2). Pattern match "x" at ARGS:a. [file "/f.conf"] [line "9"] [id "942100"] [msg "m"] [severity "CRITICAL"] [hostname "example.org"] [uri "/index.php"] [unique_id "u"])x");
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->request.client, make::address("192.0.2.9"));
  EXPECT_THAT(ids_of(*hit), ElementsAre(942100));
  EXPECT_EQ(hit->severity, 2);
  EXPECT_TRUE(hit->blocked);
  EXPECT_EQ(hit->request.target, "/index.php");
  EXPECT_EQ(hit->request.host, "example.org");
}

TEST(WafMessage, OfVersion3) {
  const auto hit = read_waf(
      R"x(2025/01/12 00:30:41 [info] 1#2: *3 [client 2001:db8::9] ModSecurity: Warning. Matched "Operator `Rx' with parameter `x' against variable `ARGS:a' (Value: `y' ) [file "/f"] [line "9"] [id "941100"] [rev ""] [msg "m"] [data ""] [severity "2"] [hostname "h"] [uri "/"] [unique_id "1"] [ref "o0"], client: 2001:db8::9, server: s)x");
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->request.client, make::address("2001:db8::9"));
  EXPECT_THAT(ids_of(*hit), ElementsAre(941100));
  EXPECT_FALSE(hit->blocked);
}

TEST(WafMessage, OnlyTheServersOwnClientCounts) {
  EXPECT_FALSE(read_waf(
      R"(2025/01/12 00:30:41 [error] 1#2: *3 open() "/[client 198.51.100.1] ModSecurity: Access denied [id "942100"]" failed, client: 192.0.2.9)"));
}

TEST(WafMessage, SeverityIsTheWorstOfWhatIsSaid) {
  const auto hit = read_waf(
      R"([Sun Jan 12 00:30:41 2025] [error] [client 192.0.2.9] ModSecurity: Warning. [id "1"] [data "[severity "7"]"] [severity "ERROR"])");
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->severity, 3);
}

constexpr std::string_view v2_json =
    R"({"transaction":{"time":"12/Jan/2025:00:30:41.123456 +0000","transaction_id":"x","remote_address":"192.0.2.9","remote_port":5,"local_address":"198.51.100.1","local_port":80},"request":{"request_line":"GET /?id=1 HTTP/1.1","headers":{"Host":"example.org","User-Agent":"sqlmap","client_ip":"198.51.100.7"}},"response":{"protocol":"HTTP/1.1","status":403,"headers":{}},"audit_data":{"messages":["Access denied with code 403 (phase 2). [file \"/f\"] [id \"942100\"] [severity \"CRITICAL\"]","Warning. [id \"920350\"] [severity \"WARNING\"]"],"action":{"intercepted":true,"phase":2,"message":"m"},"handler":"h"}})";
constexpr std::string_view v3_json =
    R"({"transaction":{"client_ip":"2001:db8::9","time_stamp":"Sun Jan 12 00:30:41 2025","server_id":"s","client_port":5,"host_ip":"198.51.100.1","host_port":80,"unique_id":"1","request":{"method":"POST","http_version":1.1,"uri":"/wp-login.php?x","body":"transaction","headers":{"host":"example.org","user-agent":"curl"}},"response":{"body":"","http_code":403,"headers":{"Server":"nginx"}},"producer":{"modsecurity":"ModSecurity v3.0.9","components":["OWASP_CRS/3.3.4"]},"messages":[{"message":"m","details":{"match":"x","reference":"o","ruleId":"942100","file":"/f","lineNumber":"5","data":"d","severity":"2","tags":["a"],"maturity":"0"}},{"message":"n","details":{"ruleId":"949110","severity":"0"}}]}})";

std::optional<WafHit> read_json(std::string_view line, ModsecReader& reader) {
  LogTimeReader times;
  return reader.read(line, times, WallTime{});
}

TEST(ModsecJson, OfVersion2) {
  ModsecReader reader;
  const auto hit = read_json(v2_json, reader);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->request.client, make::address("192.0.2.9"));
  EXPECT_EQ(format_utc(hit->request.at), "2025-01-12T00:30:41Z");
  EXPECT_EQ(hit->request.method, "GET");
  EXPECT_EQ(hit->request.target, "/?id=1");
  EXPECT_EQ(hit->request.host, "example.org");
  EXPECT_EQ(hit->request.agent, "sqlmap");
  EXPECT_EQ(hit->request.status, 403);
  EXPECT_THAT(ids_of(*hit), ElementsAre(942100, 920350));
  EXPECT_EQ(hit->severity, 2);
  EXPECT_TRUE(hit->blocked);
}

TEST(ModsecJson, OfVersion3) {
  ModsecReader reader;
  const auto hit = read_json(v3_json, reader);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->request.client, make::address("2001:db8::9"));
  EXPECT_EQ(hit->request.method, "POST");
  EXPECT_EQ(hit->request.target, "/wp-login.php?x");
  EXPECT_EQ(hit->request.status, 403);
  EXPECT_THAT(ids_of(*hit), ElementsAre(942100, 949110));
  EXPECT_EQ(hit->severity, 0);
}

TEST(ModsecJson, ALineThatWasCutTellsWhatItHas) {
  ModsecReader reader;
  const auto hit = read_json(v2_json.substr(0, v2_json.size() - 40), reader);
  ASSERT_TRUE(hit);
  EXPECT_THAT(ids_of(*hit), ElementsAre(942100, 920350));
  EXPECT_FALSE(read_json(v2_json.substr(0, 40), reader)) << "nothing is left of the line before";
}

TEST(ModsecJson, OtherTextIsNone) {
  ModsecReader reader;
  for (const char* line : {"", "{", "{}", "[]", "null", "x", R"({"transaction":{"client_ip":"nobody"}})",
                           R"({"client_ip":"192.0.2.1"})", R"({"transaction":{"request":{"client_ip":"192.0.2.1"}}})"})
    EXPECT_FALSE(read_json(line, reader)) << line;
  EXPECT_FALSE(read_json("{\"transaction\":" + std::string(100'000, '['), reader));
}

TEST(EntryReader, ReadsEachFormat) {
  EntryReader reader;
  LogEntry entry;
  const WallTime newest{one_day * 20'200};
  ASSERT_TRUE(reader.read("2025-01-12T00:30:41Z login failed from 192.0.2.1", LineFormat::plain, newest, entry));
  EXPECT_EQ(entry.line.message, "login failed from 192.0.2.1");
  EXPECT_EQ(format_utc(entry.line.at), "2025-01-12T00:30:41Z");
  ASSERT_TRUE(reader.read("login failed", LineFormat::plain, newest, entry));
  EXPECT_EQ(entry.line.at, newest);
  ASSERT_TRUE(reader.read(R"(192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] "GET / HTTP/1.1" 200 5)", LineFormat::access,
                          newest, entry));
  ASSERT_NE(entry.access, nullptr);
  EXPECT_EQ(entry.waf, nullptr);
  ASSERT_TRUE(reader.read(v3_json, LineFormat::modsec_json, newest, entry));
  ASSERT_NE(entry.waf, nullptr);
  ASSERT_TRUE(reader.read("2025/01/12 00:30:41 [error] 1#2: x", LineFormat::error, newest, entry));
  EXPECT_EQ(entry.waf, nullptr);
  EXPECT_EQ(entry.access, nullptr);
  EXPECT_FALSE(reader.read("x", LineFormat::access, newest, entry));
}

}  // namespace
}  // namespace palang
