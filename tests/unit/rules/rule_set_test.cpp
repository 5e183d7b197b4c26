#include "rules/rule_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/make.hpp"
#include "unit/rules/rules_of.hpp"

namespace palang {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view some_rules = R"(
[[rule]]
name = "sshd-login"
about = "Failed logins"
programs = ["sshd", "sshd-session"]
patterns = ['''^Failed password for (?:invalid user )?<USER> from <ADDR> port <PORT> ssh2$''',
            '''^Invalid user <USER> from <ADDR>(?: port \d+)?$''']
ignore = ['''^Failed password for backup from ''']

[[rule]]
name = "postfix-sasl"
about = "Failed logins"
programs = ["postfix/*"]
units = ["postfix@*"]
proof = "handshake"
patterns = ['''^warning: [^\[]*\[<ADDR>\]: SASL \w+ authentication failed''']

[[rule]]
name = "web-probe"
about = "Probes"
format = "access"
files = ["/var/log/nginx/*access.log"]
programs = ["nginx"]
where = { status = ["4xx"], path = ['''^/\.env''', '''^/wp-login\.php$'''], method = ["GET", "POST"] }

[[rule]]
name = "web-storm"
about = "Not found"
format = "access"
files = ["/var/log/nginx/*access.log"]
where = { status = [404] }

[[rule]]
name = "waf"
about = "WAF"
format = "modsec-json"
files = ["/var/log/modsec.json"]
where = { severity = ["critical", 3], rule_id = ["942000-942999"], blocked = true }

[[rule]]
name = "app"
about = "An application"
format = "plain"
files = ["/var/log/app.log"]
patterns = ['''^login failed from <ADDR>$''']

[[rule]]
name = "off"
about = "Off"
enabled = false
programs = ["sshd"]
patterns = ['''^Failed password for .* from <ADDR> port \d+ ssh2$''']
)";

class Rules : public testing::Test {
 protected:
  Rules() {
    const LoadedRules loaded = rules_of(std::string(some_rules));
    EXPECT_THAT(loaded.faults, IsEmpty());
    auto compiled = RuleSet::compile(loaded.rules);
    EXPECT_TRUE(compiled) << (compiled ? "" : compiled.error().text);
    set = std::move(*compiled);
  }

  std::vector<Event> request(std::string_view target, uint16_t status, std::string_view method = "GET") {
    HttpAccess access;
    access.client = make::address("192.0.2.9");
    access.target = target;
    access.method = method;
    access.status = status;
    LogEntry entry;
    entry.format = LineFormat::access;
    entry.access = &access;
    LineOrigin origin;
    origin.file = "/var/log/nginx/access.log";
    std::vector<Event> events;
    set.match(entry, origin, events);
    return events;
  }

  std::vector<Event> waf(WafHit hit) {
    hit.request.client = make::address("192.0.2.9");
    LogEntry entry;
    entry.format = LineFormat::modsec_json;
    entry.access = &hit.request;
    entry.waf = &hit;
    LineOrigin origin;
    origin.file = "/var/log/modsec.json";
    std::vector<Event> events;
    set.match(entry, origin, events);
    return events;
  }

  RuleSet set;
};

TEST_F(Rules, FindWhoAndWhat) {
  const auto events = events_of(set, "sshd", "Failed password for invalid user admin from 192.0.2.7 port 64490 ssh2");
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(rule_name(events[0].rule), "sshd-login");
  EXPECT_EQ(events[0].source, make::address("192.0.2.7"));
  EXPECT_EQ(events[0].user, "admin");
  EXPECT_EQ(events[0].port, 64490);
  EXPECT_EQ(events[0].proof, Proof::application);
  EXPECT_EQ(events[0].attempts, 1U);
}

TEST_F(Rules, ReadEveryFormOfAddress) {
  for (const char* address : {"192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "2001:db8:0:0:0:0:0:15"}) {
    const auto events = events_of(set, "sshd", std::string("Invalid user x from ") + address);
    ASSERT_THAT(events, SizeIs(1)) << address;
    EXPECT_EQ(events[0].source, make::address(address));
    EXPECT_THAT(events_of(set, "sshd", std::string("Invalid user x from [") + address + "] port 5"), SizeIs(1));
  }
  for (const char* none :
       {"192.0.2.300", "1.2.3", "192.0.2.7.8", "example.org", "0.0.0.0", "224.0.0.1", "2001:db8:::1", "::"})
    EXPECT_THAT(events_of(set, "sshd", std::string("Invalid user x from ") + none), IsEmpty()) << none;
}

TEST_F(Rules, NobodyIsBlamedForWhatStandsInAUserName) {
  const auto events = events_of(
      set, "sshd", "Failed password for invalid user x from 198.51.100.9 port 22 ssh2 from 192.0.2.7 port 64490 ssh2");
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].source, make::address("192.0.2.7"));
  EXPECT_EQ(events[0].user, "x from 198.51.100.9 port 22 ssh2");
}

TEST_F(Rules, AreOfferedOnlyTheLinesOfTheirPrograms) {
  constexpr std::string_view failed = "Failed password for root from 192.0.2.7 port 1 ssh2";
  EXPECT_THAT(events_of(set, "sshd-session", failed), SizeIs(1));
  for (const char* other : {"sshd2", "ssh", "postfix/smtpd", "", "SSHD"})
    EXPECT_THAT(events_of(set, other, failed), IsEmpty()) << other;
  constexpr std::string_view sasl = "warning: unknown[192.0.2.8]: SASL LOGIN authentication failed: x";
  EXPECT_THAT(events_of(set, "postfix/smtpd", sasl), SizeIs(1));
  EXPECT_THAT(events_of(set, "postfix/submission/smtpd", sasl), SizeIs(1));
  EXPECT_THAT(events_of(set, "sshd", sasl), IsEmpty());
}

TEST_F(Rules, OfAUnitAreNotOfferedOthersLines) {
  constexpr std::string_view sasl = "warning: unknown[192.0.2.8]: SASL LOGIN authentication failed: x";
  LineOrigin origin;
  origin.unit = "postfix@-.service";
  EXPECT_THAT(events_of(set, "postfix/smtpd", sasl, origin), SizeIs(1));
  origin.unit = "user@1000.service";
  EXPECT_THAT(events_of(set, "postfix/smtpd", sasl, origin), IsEmpty());
}

TEST_F(Rules, IgnoreWhatTheyAreToldTo) {
  EXPECT_THAT(events_of(set, "sshd", "Failed password for backup from 192.0.2.7 port 1 ssh2"), IsEmpty());
}

TEST_F(Rules, OfFilesReadTheLinesOfTheirFiles) {
  LineOrigin origin;
  origin.file = "/var/log/app.log";
  EXPECT_THAT(events_of(set, "", "login failed from 192.0.2.7", origin, LineFormat::plain), SizeIs(1));
  origin.file = "/var/log/app.log.1";
  EXPECT_THAT(events_of(set, "", "login failed from 192.0.2.7", origin, LineFormat::plain), IsEmpty());
  EXPECT_TRUE(set.wants_file("/var/log/nginx/site.access.log", LineFormat::access));
  EXPECT_FALSE(set.wants_file("/var/log/nginx/sub/access.log", LineFormat::access));
  EXPECT_FALSE(set.wants_file("/var/log/nginx/site.access.log", LineFormat::plain));
  EXPECT_FALSE(set.wants_file("", LineFormat::access));
  EXPECT_TRUE(set.wants_program("nginx", LineFormat::access));
  EXPECT_FALSE(set.wants_program("sshd", LineFormat::access));
}

TEST_F(Rules, OfRequestsLookAtFields) {
  EXPECT_THAT(request("/.env", 403), SizeIs(1));
  EXPECT_THAT(request("/.env", 404), SizeIs(2)) << "the storm counts it, too";
  EXPECT_THAT(request("/.env", 200), IsEmpty());
  EXPECT_THAT(request("/.env", 403, "HEAD"), IsEmpty());
  EXPECT_THAT(request("/wp-login.php.bak", 403), IsEmpty());
  const auto events = request("/wp-login.php?a=b", 403, "POST");
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(rule_name(events[0].rule), "web-probe");
  EXPECT_EQ(events[0].target, "/wp-login.php");
  EXPECT_EQ(events[0].source, make::address("192.0.2.9"));
}

TEST_F(Rules, OfPathsSeeThroughOtherSpellings) {
  for (const char* target : {"/%2eenv", "//.env", "/./.env", "/%2E%65nv?x", "http://host/.env", "/\\x2eenv"})
    EXPECT_THAT(request(target, 403), SizeIs(1)) << target;
}

TEST_F(Rules, OfAWafLookAtRulesAndSeverity) {
  WafHit hit;
  hit.rule_ids[0] = 920350;
  hit.rule_ids[1] = 942100;
  hit.rules = 2;
  hit.severity = 2;
  hit.blocked = true;
  EXPECT_THAT(waf(hit), SizeIs(1));
  WafHit noted = hit;
  noted.blocked = false;
  EXPECT_THAT(waf(noted), IsEmpty());
  WafHit mild = hit;
  mild.severity = 4;
  EXPECT_THAT(waf(mild), IsEmpty());
  WafHit other = hit;
  other.rules = 1;
  EXPECT_THAT(waf(other), IsEmpty());
}

TEST_F(Rules, ExplainThemselves) {
  LogEntry entry;
  entry.line = {WallTime{}, "sshd", "Failed password for backup from 192.0.2.7 port 1 ssh2", false};
  auto trials = set.explain(entry, {});
  ASSERT_THAT(trials, SizeIs(1));
  EXPECT_EQ(trials[0].rule->settings.name, "sshd-login");
  EXPECT_TRUE(trials[0].ignored);
  EXPECT_FALSE(trials[0].matched);
  entry.line.message = "Invalid user x from 192.0.2.7";
  trials = set.explain(entry, {});
  ASSERT_THAT(trials, SizeIs(1));
  EXPECT_TRUE(trials[0].matched);
  EXPECT_EQ(trials[0].pattern, R"(^Invalid user <USER> from <ADDR>(?: port \d+)?$)");
  EXPECT_EQ(trials[0].user, "x");
  entry.line.program = "cron";
  EXPECT_THAT(set.explain(entry, {}), IsEmpty());
}

TEST_F(Rules, ThatAreOffAreNotLoaded) {
  EXPECT_EQ(set.size(), 6U);
}

TEST_F(Rules, SurviveManyNamesOfPrograms) {
  for (int i = 0; i < 10'000; ++i) EXPECT_THAT(events_of(set, "p" + std::to_string(i), "x"), IsEmpty());
  EXPECT_THAT(events_of(set, "sshd", "Invalid user x from 192.0.2.7"), SizeIs(1));
}

}  // namespace
}  // namespace palang
