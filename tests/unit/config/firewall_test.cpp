#include <gtest/gtest.h>

#include "config/config.hpp"
#include "config/firewall_values.hpp"

namespace palang {
namespace {

FirewallSettings parsed(std::string_view text) {
  const auto config = parse_config(text, "f.toml");
  EXPECT_TRUE(config.has_value()) << config.error().text;
  return config && config->firewall ? *config->firewall : FirewallSettings{};
}

TEST(FirewallConfig, IsThereOnlyWhereItsSectionIs) {
  EXPECT_FALSE(parse_config("", "f.toml")->firewall.has_value());
  EXPECT_EQ(parsed("[firewall]\n"), FirewallSettings{});
  EXPECT_EQ(parsed("[[firewall.rule]]\nports=[22]\nprotocol=\"tcp\"\n").rules.size(), 1U);
}

TEST(FirewallConfig, TakesPortsRangesAndServices) {
  const FirewallSettings settings = parsed("[firewall]\ntcp_in = [80, \"443\", \"2000-2100\", \"https\"]\n");
  EXPECT_EQ(settings.tcp_in, (PortSpans{{80, 80}, {443, 443}, {2000, 2100}, {443, 443}}));
}

TEST(FirewallConfig, TakesEveryKindOfRule) {
  const FirewallSettings settings = parsed(R"(
[firewall]
policy = "reject"
out_policy = "drop"
ping = "off"
syn_flood = "100/second burst 150"
[[firewall.list]]
name = "office"
file = "/etc/palang/lists/office.txt"
action = "allow"
[[firewall.rule]]
action = "deny"
protocol = "tcp"
ports = ["22"]
peer = ["198.51.100.0/24", "list:office", "admin.example.net", "2001:db8::/32"]
until = "2026-12-31T23:59:59+07:00"
note = "office"
[[firewall.rule]]
direction = "out"
protocol = "tcp"
ports = ["25"]
user = "postfix"
[[firewall.limit]]
ports = ["22"]
connections = 5
rate = "5/300s"
[[firewall.knock]]
opens = "22"
sequence = [7000, 8000, 9000]
[[firewall.redirect]]
port = 80
to_port = 8080
to_address = "192.0.2.7"
[firewall.smtp]
ports = ["25"]
users = ["postfix"]
)");
  EXPECT_EQ(settings.policy, FirewallSettings::Policy::reject);
  EXPECT_EQ(settings.out_policy, FirewallSettings::Policy::drop);
  EXPECT_FALSE(settings.answers_ping);
  EXPECT_EQ(settings.syn_flood, (Rate{100, 1s, 150}));
  ASSERT_EQ(settings.rules.size(), 2U);
  const FirewallRule& rule = settings.rules[0];
  EXPECT_EQ(rule.action, FirewallRule::Action::deny);
  ASSERT_EQ(rule.peers.size(), 4U);
  EXPECT_EQ(rule.peers[1].kind, FirewallPeer::Kind::list);
  EXPECT_EQ(rule.peers[2].kind, FirewallPeer::Kind::host);
  EXPECT_EQ(rule.peers[3].prefix.text(), "2001:db8::/32");
  EXPECT_EQ(format_utc(*rule.until), "2026-12-31T16:59:59Z");
  EXPECT_EQ(rule.written.line, 11U);
  EXPECT_EQ(settings.rules[1].user, "postfix");
  EXPECT_EQ(settings.limits[0].rate, (Rate{5, 300s, 0}));
  EXPECT_EQ(settings.knocks[0].sequence, (std::vector<uint16_t>{7000, 8000, 9000}));
  EXPECT_EQ(settings.redirects[0].to_address->text(), "192.0.2.7");
  EXPECT_EQ(settings.smtp.users, std::vector<std::string>{"postfix"});
}

struct Wrong {
  const char* toml;  // below [firewall], on line 2
  const char* error;
};
class FirewallError : public testing::TestWithParam<Wrong> {};

TEST_P(FirewallError, NamesFileLineAndKey) {
  const auto config = parse_config(std::string("[firewall]\n") + GetParam().toml, "f.toml");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().text, std::string("f.toml:2: ") + GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, FirewallError,
    testing::Values(
        Wrong{"tcp_inn = []", "firewall.tcp_inn: no such key; did you mean firewall.tcp_in?"},
        Wrong{"tcp_in = [70000]", "firewall.tcp_in: '70000' is not a port: a port is a number from 1 to 65535"},
        Wrong{"tcp_in = [\"0\"]", "firewall.tcp_in: '0' is not a port: a port is a number from 1 to 65535"},
        Wrong{"tcp_in = [\"30-20\"]", "firewall.tcp_in: '30-20' is no range of ports: it ends before it begins"},
        Wrong{"udp_in = [\"nosuchservice\"]",
              "firewall.udp_in: 'nosuchservice' is neither a port, nor a range as in 2000-2100, nor a service of "
              "/etc/services"},
        Wrong{"policy = \"accept\"", "firewall.policy: must be \"drop\" or \"reject\", not 'accept'"},
        Wrong{
            "ping = \"often\"",
            "firewall.ping: 'often' is not a rate: write as in \"30/minute\", \"5/300s\" or \"100/second burst 150\""},
        Wrong{"raw_before = [\"x.nft\"]", "firewall.raw_before: 'x.nft' must be an absolute path, beginning with /"},
        Wrong{"[[firewall.rule]]\npeer = [\"192.0.2.1/24\"]",
              "firewall.rule: allows everything to everyone: give it ports or a peer\n"
              "f.toml:3: firewall.rule.peer: '192.0.2.1/24' is not a prefix: host bits are set; the network is "
              "192.0.2.0/24"},
        Wrong{"[[firewall.rule]]\naction=\"deny\"\npeer = [\"0.0.0.0/0\"]",
              "firewall.rule.peer: 0.0.0.0/0 denies everyone, you too; what no rule opens is refused anyway"},
        Wrong{"[[firewall.rule]]\naction=\"deny\"", "firewall.rule.peer: is missing: this denies everyone, you too"},
        Wrong{"[[firewall.rule]]\npeer = [\"list:offise\"]",
              "firewall.rule.peer: there is no [[firewall.list]] of the name 'offise'"},
        Wrong{"[[firewall.rule]]\npeer = [\"192.0.2.1\"]\nports = [22]",
              "firewall.rule.ports: are only for protocol = \"tcp\" or \"udp\""},
        Wrong{"[[firewall.list]]\nname = \"a\"", "firewall.list: list a needs either a file or a url"},
        Wrong{"[[firewall.limit]]\nports = [22]", "firewall.limit: limits nothing: give it connections or a rate"},
        Wrong{"[[firewall.knock]]\nopens = 22\nsequence = [7000]", "firewall.knock.sequence: has 2 to 16 ports"},
        Wrong{"[[firewall.redirect]]\nport = 80", "firewall.redirect.to_port: is missing"},
        Wrong{"rule = 3", "firewall.rule: write [[firewall.rule]], in double brackets"}));

TEST(FirewallValues, ARateReadsAsItIsWritten) {
  for (const char* text : {"100/second burst 150", "30/minute", "5/5m", "1/week"}) {
    const auto rate = parse_rate(text);
    ASSERT_TRUE(rate.has_value()) << text;
    EXPECT_EQ(print_rate(*rate), text);
  }
  for (const char* text : {"", "5", "0/second", "5/0s", "5/500ms", "-1/second", "5/second burst", "5/second burst 0",
                           "9999999/second", "5/fortnight"})
    EXPECT_FALSE(parse_rate(text).has_value()) << text;
}

TEST(FirewallValues, APeerIsNeverAnAddressGoneWrong) {
  for (const char* text : {"192.0.2", "192.0.2.256", "192.0.2.1/33", "localhost", "a..b", "-a.b", "list:", "list:a b",
                           "example.net;", "2001:db8::g"})
    EXPECT_FALSE(parse_firewall_peer(text).has_value()) << text;
  EXPECT_EQ(parse_firewall_peer("admin.example.net")->kind, FirewallPeer::Kind::host);
}

TEST(FirewallValues, ATimeHasItsZone) {
  EXPECT_EQ(format_utc(*parse_end_time("2026-02-28T23:00:00-01:30")), "2026-03-01T00:30:00Z");
  for (const char* text : {"2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00+7", "tomorrow"})
    EXPECT_FALSE(parse_end_time(text).has_value()) << text;
}

}  // namespace
}  // namespace palang
