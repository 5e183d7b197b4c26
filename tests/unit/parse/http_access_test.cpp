#include "parse/http_access.hpp"

#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

std::optional<HttpAccess> read(std::string_view line) {
  LogTimeReader times;
  return read_access_line(line, times);
}

TEST(AccessLine, CombinedHasAllFields) {
  const auto access = read(
      R"x(192.0.2.9 - alice [12/Jan/2025:00:30:41 +0700] "GET /a?b=c HTTP/1.1" 404 153 "https://example.org/" "Mozilla/5.0 (X11)" "extra")x");
  ASSERT_TRUE(access);
  EXPECT_EQ(access->client, make::address("192.0.2.9"));
  EXPECT_EQ(format_utc(access->at), "2025-01-11T17:30:41Z");
  EXPECT_EQ(access->user, "alice");
  EXPECT_EQ(access->method, "GET");
  EXPECT_EQ(access->target, "/a?b=c");
  EXPECT_EQ(access->status, 404);
  EXPECT_EQ(access->referer, "https://example.org/");
  EXPECT_EQ(access->agent, "Mozilla/5.0 (X11)");
  EXPECT_EQ(access->host, "");
}

TEST(AccessLine, CommonHasNoRefererAndDashesAreNothing) {
  const auto access = read(R"(2001:db8::9 - - [12/Jan/2025:00:30:41 +0000] "POST /x HTTP/2.0" 200 -)");
  ASSERT_TRUE(access);
  EXPECT_EQ(access->client, make::address("2001:db8::9"));
  EXPECT_EQ(access->user, "");
  EXPECT_EQ(access->referer, "");
  EXPECT_EQ(access->status, 200);
}

TEST(AccessLine, TheHostMayComeFirst) {
  for (const char* host : {"example.org:443", "example.org", "198.51.100.1:80", "198.51.100.1"}) {
    const std::string line =
        std::string(host) + R"( 192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] "GET / HTTP/1.1" 200 5 "-" "-")";
    const auto access = read(line);
    ASSERT_TRUE(access) << host;
    EXPECT_EQ(access->client, make::address("192.0.2.9")) << "a client may send an address as its host";
    EXPECT_EQ(access->host, std::string_view(host).substr(0, std::string_view(host).find(':')));
  }
}

TEST(AccessLine, RequestsThatAreNoneHaveNoMethod) {
  for (const char* request :
       {"", "-", R"(\x16\x03\x01\x02)", "SSH-2.0-Go", "GET /", "quit HTTP/1.1", "{\\\"a\\\": 1}"}) {
    const std::string line =
        R"(192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] ")" + std::string(request) + R"(" 400 150 "-" "-")";
    const auto access = read(line);
    ASSERT_TRUE(access) << request;
    EXPECT_EQ(access->method, "") << request;
    EXPECT_EQ(access->status, 400) << request;
    const bool dash = std::string_view(request) == "-";
    EXPECT_EQ(access->target, dash ? "" : request);
  }
}

TEST(AccessLine, NobodyCanForgeAnotherFieldFromWithin) {
  const auto user = read(
      R"(192.0.2.9 - x [12/Jan/2025:00:00:00 +0000] \"GET / HTTP/1.1\" 200 [12/Jan/2025:00:30:41 +0000] "GET /real HTTP/1.1" 401 5 "-" "-")");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->status, 401);
  EXPECT_EQ(user->target, "/real");
  const auto request =
      read(R"(192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] "GET /\" 200 5 \"- HTTP/1.1" 404 5 "a\"b\\" "agent")");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->status, 404);
  EXPECT_EQ(request->referer, R"(a\"b\\)");
  EXPECT_EQ(request->agent, "agent");
}

TEST(AccessLine, TargetsMayHaveSpaces) {
  const auto access = read(R"(192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] "GET /a b c HTTP/1.1" 404 5)");
  ASSERT_TRUE(access);
  EXPECT_EQ(access->target, "/a b c");
}

TEST(AccessLine, ProxmoxWritesTheMonthAsANumber) {
  const auto access =
      read(R"(::ffff:192.0.2.9 - root@pam [12/01/2025:00:30:41 +0100] "POST /api2/json/access/ticket HTTP/1.1" 401 -)");
  ASSERT_TRUE(access);
  EXPECT_EQ(access->client, make::address("192.0.2.9"));
  EXPECT_EQ(access->user, "root@pam");
  EXPECT_EQ(format_utc(access->at), "2025-01-11T23:30:41Z");
}

TEST(AccessLine, OtherLinesAreNone) {
  for (const char* line :
       {"", " ", "192.0.2.9", "192.0.2.9 - -",
        "host.example.org - - [12/Jan/2025:00:30:41 +0000] \"GET / HTTP/1.1\" 200 5",
        "192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] \"GET /", "192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] \"GET /\" x",
        "192.0.2.9 - - [32/Jan/2025:00:30:41 +0000] \"GET / HTTP/1.1\" 200 5", "Jan 12 00:30:41 host sshd[1]: x",
        "192.0.2.9 - - [12/Jan/2025:00:30:41 +0000] GET / 200"})
    EXPECT_FALSE(read(line)) << line;
}

}  // namespace
}  // namespace palang
