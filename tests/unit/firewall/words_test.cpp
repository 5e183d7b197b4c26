#include <gtest/gtest.h>

#include "firewall/list_file.hpp"
#include "firewall/nft_library.hpp"
#include "firewall/nft_words.hpp"
#include "firewall/peers.hpp"
#include "firewall/text_difference.hpp"
#include "firewall/would_pass.hpp"

namespace palang {
namespace {

TEST(NftWords, PortsThatOverlapAreOneRange) {
  EXPECT_EQ(nft_ports({{80, 80}}), "80");
  EXPECT_EQ(nft_ports({{90, 100}, {80, 80}, {95, 110}, {111, 111}}), "{ 80, 90-111 }");
  EXPECT_EQ(nft_ports({{1, 65535}, {65535, 65535}}), "1-65535");
}

TEST(NftWords, ARateKeepsItsMeaning) {
  EXPECT_EQ(nft_rate({100, 1s, 150}), "100/second burst 150 packets");
  EXPECT_EQ(nft_rate({5, 300s, 0}), "1/minute burst 5 packets");
  EXPECT_EQ(nft_rate({1, 7s, 0}), "86400/week burst 1 packets");
  EXPECT_EQ(bucket_memory({5, 300s, 0}), Duration{300s});
}

TEST(NftWords, HostsNeverShareASet) {
  EXPECT_NE(PeerSets::host_set("a.b-c.net", true), PeerSets::host_set("a-b.c.net", true));
  EXPECT_NE(PeerSets::host_set("a__b.net", true), PeerSets::host_set("a.b.net", true));
  EXPECT_EQ(PeerSets::host_set("Admin.example.net", false), "host_admin__example__net_6");
}

TEST(ListFile, TakesAddressesPrefixesHostsAndNotes) {
  const auto list =
      parse_list("# head\n192.0.2.1 # one\n\n198.51.100.0/24 note\n2001:db8::/32\nadmin.example.net\n", "f", 10);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->prefixes.size(), 3U);
  EXPECT_EQ(list->hosts, std::vector<std::string>{"admin.example.net"});
}

TEST(ListFile, AnErrorNamesFileAndLine) {
  EXPECT_EQ(parse_list("192.0.2.1\n192.0.2.1/24\n", "f.txt", 10).error().text,
            "f.txt:2: '192.0.2.1/24' is not a prefix: host bits are set; the network is 192.0.2.0/24");
  EXPECT_EQ(parse_list("192.0.2.1\n192.0.2.2\n", "f.txt", 1).error().text, "f.txt:2: the list has more than 1 entries");
  EXPECT_FALSE(parse_list("\x1b[31m\n", "f.txt", 1).has_value());
}

TEST(Listing, IsThatOfTheFirewallAlone) {
  EXPECT_EQ(
      firewall_part_of("table inet other {\n\tchain fw_in_1 {\n\t}\n}\ntable inet palang {\n\tset full4_32 {\n\t\t"
                       "type ipv4_addr\n\t}\n\n\tchain fw_in_1 {\n\t\taccept\n\t}\n\n\tchain gate_full {\n\t\taccept\n"
                       "\t}\n}\n"),
      "chain fw_in_1 {\n\taccept\n}\n");
}

TEST(Difference, IgnoresGenerations) {
  EXPECT_EQ(comparable_policy("  chain fw_in_3 {\n    goto fw_open_3\n"),
            comparable_policy("  chain fw_in_14 {\n    goto fw_open_14\n"));
  EXPECT_EQ(text_difference("a\nb\nc\n", "a\nb\nc\n"), "");
  EXPECT_EQ(text_difference("  chain x {\na\nb\nc\nd\ne\n", "  chain x {\na\nb\nc\nd\nf\n"),
            "@@\n    chain x {\n  c\n  d\n- e\n+ f\n");
}

FirewallPeer peer_of(std::string_view text) {
  return {FirewallPeer::Kind::prefix, *Prefix::parse(text), {}};
}

TEST(WouldPass, FollowsTheOrderOfThePolicy) {
  FirewallSettings settings;
  settings.tcp_in = {{80, 80}};
  FirewallRule deny;
  deny.action = FirewallRule::Action::deny;
  deny.peers = {peer_of("203.0.113.0/24")};
  deny.written.line = 5;
  FirewallRule allow;
  allow.protocol = FirewallProtocol::tcp;
  allow.ports = {{22, 22}};
  allow.peers = {peer_of("198.51.100.7"), peer_of("203.0.113.7")};
  settings.rules = {deny, allow};
  const auto admits = [&](const char* address, uint16_t port) {
    return would_pass(settings, {}, {*Address::parse(address), FirewallProtocol::tcp, port});
  };
  EXPECT_TRUE(admits("198.51.100.7", 22).passes);
  EXPECT_FALSE(admits("203.0.113.7", 22).passes);
  EXPECT_EQ(admits("203.0.113.7", 80).why, "the rule of line 5");
  EXPECT_TRUE(admits("192.0.2.1", 80).passes);
  EXPECT_EQ(admits("2001:db8::1", 22).why, "no rule opens tcp/22 to it");
  EXPECT_TRUE(admits("127.0.0.1", 22).passes);
  settings.ipv6 = false;
  EXPECT_FALSE(admits("2001:db8::1", 80).passes);
}

}  // namespace
}  // namespace palang
