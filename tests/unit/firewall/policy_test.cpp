#include "firewall/policy.hpp"

#include <gtest/gtest.h>

#include "firewall/firewall_store.hpp"
#include "firewall/transaction.hpp"

namespace palang {
namespace {

Prefix prefix(std::string_view text) {
  return *Prefix::parse(text);
}

FirewallPeer peer(std::string_view text) {
  return {FirewallPeer::Kind::prefix, prefix(text), {}};
}

// The rules of one chain, as a reader of the file sees them.
std::string chain(const CompiledPolicy& policy, const std::string& name) {
  const std::string head = "  chain fw_" + name + "_1 {\n";
  const size_t at = policy.text.find(head);
  if (at == std::string::npos) return "no such chain";
  return policy.text.substr(at + head.size(), policy.text.find("  }\n", at) - at - head.size());
}

TEST(Policy, ReadsFromTopToBottom) {
  FirewallSettings settings;
  settings.tcp_in = {{443, 443}, {80, 80}, {2000, 2100}};
  FirewallRule office;
  office.protocol = FirewallProtocol::tcp;
  office.ports = {{22, 22}};
  office.peers = {peer("198.51.100.7"), peer("203.0.113.0/24"), peer("2001:db8::/32")};
  office.note = "the \"office\"";
  settings.rules = {office};
  const CompiledPolicy policy = compile_policy(settings, {}, 1);
  EXPECT_EQ(chain(policy, "in"),
            R"(    iif lo accept
    ct state established,related accept
    icmp type { destination-unreachable, time-exceeded, parameter-problem } counter accept
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } counter accept
    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, ind-neighbor-solicit, ind-neighbor-advert } ip6 hoplimit 255 counter accept
    icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 saddr fe80::/10 counter accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 counter accept
    ct state invalid counter drop
    meta l4proto tcp jump fw_odd_1
    icmp type echo-request update @fw_ping_4_1 { ip saddr limit rate 1/second burst 5 packets } counter accept
    icmpv6 type echo-request update @fw_ping_6_1 { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate 1/second burst 5 packets } counter accept
    icmp type echo-request counter drop
    icmpv6 type echo-request counter drop
    ip saddr { 203.0.113.0/24, 198.51.100.7 } tcp dport 22 counter accept comment "the office"
    ip6 saddr 2001:db8::/32 tcp dport 22 counter accept comment "the office"
    tcp dport { 80, 443, 2000-2100 } counter goto fw_open_1
    goto fw_refuse_1
)");
  EXPECT_EQ(chain(policy, "open"), "    accept\n");
  EXPECT_EQ(policy.hooks, std::vector<std::string_view>{"fw_input"});
  EXPECT_TRUE(policy.open.tcp.contains(2050));
  EXPECT_FALSE(policy.open.tcp.contains(22));
}

TEST(Policy, ListsAreHashSetsForEachPrefixLength) {
  FirewallSettings settings;
  FirewallList list;
  list.name = "bad";
  list.action = FirewallList::Action::deny;
  settings.lists = {list};
  Surroundings known;
  known.lists["bad"] = {prefix("192.0.2.1"), prefix("198.51.100.0/24"), prefix("192.0.2.1"), prefix("2001:db8::/48")};
  const CompiledPolicy policy = compile_policy(settings, known, 1);
  EXPECT_NE(policy.text.find("  set fw_list_bad_4_24_1 { type ipv4_addr; size 1; }\n"), std::string::npos)
      << policy.text;
  EXPECT_NE(policy.text.find("add element inet palang fw_list_bad_4_32_1 {\n  192.0.2.1\n}\n"), std::string::npos);
  EXPECT_NE(policy.text.find("    ip saddr & 255.255.255.0 @fw_list_bad_4_24_1 goto fw_denied_1\n"), std::string::npos);
  EXPECT_NE(policy.text.find("    ip6 saddr & ffff:ffff:ffff:: @fw_list_bad_6_48_1 goto fw_denied_1\n"),
            std::string::npos);
  EXPECT_EQ(policy.text.find("interval"), std::string::npos);
}

TEST(Policy, ANoteCannotEndItsQuotes) {
  FirewallSettings settings;
  FirewallRule rule;
  rule.protocol = FirewallProtocol::tcp;
  rule.ports = {{80, 80}};
  rule.note = "x\" accept; drop \\\n flush ruleset";
  settings.rules = {rule};
  EXPECT_NE(chain(compile_policy(settings, {}, 1), "in")
                .find("tcp dport 80 counter goto fw_open_1 comment \"x accept; drop  flush ruleset\"\n"),
            std::string::npos);
}

TEST(Policy, ARuleThatIsOverIsLeftOutAndOneThatWillBeTellsTheKernel) {
  FirewallSettings settings;
  FirewallRule rule;
  rule.protocol = FirewallProtocol::tcp;
  rule.ports = {{80, 80}};
  rule.until = WallTime{100s};
  settings.rules = {rule};
  Surroundings known;
  known.now = WallTime{99s};
  EXPECT_NE(chain(compile_policy(settings, known, 1), "in").find("tcp dport 80 meta time < 100000000000 counter"),
            std::string::npos);
  known.now = WallTime{100s};
  EXPECT_EQ(chain(compile_policy(settings, known, 1), "in").find("tcp dport 80"), std::string::npos);
}

TEST(Transaction, ATrialLeadsToTheNewPolicyOnlyForItsTime) {
  FirewallSettings settings;
  settings.tcp_in = {{80, 80}};
  const CompiledPolicy policy = compile_policy(settings, {}, 4);
  const FirewallInKernel now = FirewallInKernel::parse(
      "\tchain fw_in_3 {\n\t\taccept\n\t}\n\tchain fw_out_3 {\n\t}\n\tchain fw_input {\n\t}\n\tset fw_old_2 {\n\t}\n"
      "\tchain fw_in_2 {\n\t}\n");
  EXPECT_EQ(now.newest_generation(), 3U);
  const std::string script = script_of_trial({policy, 3, {"fw_input", "fw_output"}, 60s}, now);
  EXPECT_TRUE(
      script.starts_with("add table inet palang\nflush chain inet palang fw_input\nflush chain inet palang "
                         "fw_in_2\ndelete chain inet palang fw_in_2\ndelete set inet palang fw_old_2\n"))
      << script;
  EXPECT_NE(script.find("elements = { ipv4 timeout 60000ms, ipv6 timeout 60000ms }"), std::string::npos);
  EXPECT_NE(script.find("    meta nfproto @fw_trial goto fw_in_4\n    goto fw_in_3\n"), std::string::npos) << script;
  EXPECT_NE(script.find("    meta nfproto @fw_trial accept\n    goto fw_out_3\n"), std::string::npos) << script;
}

TEST(Store, APolicyReadsAsItWasWritten) {
  FirewallSettings settings;
  settings.tcp_in = {{80, 80}, {2000, 2100}};
  const StoredPolicy stored = stored_policy(compile_policy(settings, {}, 7), {"a.example.net"}, 1111);
  const auto read = parse_policy(print_policy(stored));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->generation, 7U);
  EXPECT_EQ(read->hooks, stored.hooks);
  EXPECT_EQ(read->hosts, stored.hosts);
  EXPECT_EQ(read->open, stored.open);
  EXPECT_EQ(read->nflog_group, 1111U);
  EXPECT_EQ(read->whole, stored.whole);
  EXPECT_FALSE(parse_policy("").has_value());
  EXPECT_FALSE(parse_policy("# generation: 0\n# nflog-group: 1\n").has_value());
  EXPECT_FALSE(parse_policy("# generation: 1\n# nflog-group: 1\n# open-tcp: 70000\n").has_value());
}

}  // namespace
}  // namespace palang
