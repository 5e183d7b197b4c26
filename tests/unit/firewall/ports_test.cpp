#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/open_ports.hpp"
#include "firewall/port_ranges.hpp"
#include "unit/make.hpp"

namespace palang::foreign {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PortRanges, JoinAndSplit) {
  const auto a = merged({{80, 80}, {22, 22}, {23, 30}, {25, 40}, {65'535, 65'535}});
  EXPECT_THAT(a, ElementsAre(PortRange{22, 40}, PortRange{80, 80}, PortRange{65'535, 65'535}));
  const auto b = merged({{30, 35}, {80, 90}});
  EXPECT_THAT(common(a, b), ElementsAre(PortRange{30, 35}, PortRange{80, 80}));
  EXPECT_THAT(without(a, b), ElementsAre(PortRange{22, 29}, PortRange{36, 40}, PortRange{65'535, 65'535}));
  EXPECT_THAT(without(b, b), IsEmpty());
  EXPECT_FALSE(read_port_range("9:3", ':'));
  EXPECT_FALSE(read_port_range("65536", ':'));
}

FirewallRule rule_for(FirewallRule::Action action, PortSpans ports, const char* peer) {
  FirewallRule rule;
  rule.action = action;
  rule.protocol = FirewallProtocol::tcp;
  rule.ports = std::move(ports);
  if (peer != nullptr) rule.peers.push_back({FirewallPeer::Kind::prefix, make::prefix(peer), ""});
  return rule;
}

TEST(OpenPorts, AreThoseOfAStranger) {
  FirewallSettings settings;
  settings.tcp_in = {{80, 80}, {443, 443}};
  settings.udp_in = {{53, 53}};
  settings.rules = {rule_for(FirewallRule::Action::deny, {{443, 443}}, "0.0.0.0/0"),
                    rule_for(FirewallRule::Action::allow, {{22, 22}}, "198.51.100.0/24"),
                    rule_for(FirewallRule::Action::allow, {{8443, 8443}}, "::/0"),
                    rule_for(FirewallRule::Action::allow, {{8080, 8080}}, nullptr)};
  const OpenPorts open = open_ports(settings);
  EXPECT_THAT(open.tcp4.list(), ElementsAre(80, 8080));
  EXPECT_THAT(open.tcp6.list(), ElementsAre(80, 443, 8080, 8443));
  EXPECT_THAT(open.udp4.list(), ElementsAre(53));
}

TEST(OpenPorts, OfCsfAreReadWithoutTheImporter) {
  const std::vector<csf::Line> allow{{{"csf.allow", 1}, "tcp|in|d=8080|s=0.0.0.0/0", ""},
                                     {{"csf.allow", 2}, "tcp|in|d=22|s=198.51.100.7", ""}};
  const std::vector<csf::Line> deny{{{"csf.deny", 1}, "tcp|in|d=25|s=0.0.0.0/0", ""}};
  const OpenPorts open = csf_open_ports("TCP_IN = \"25,80,100:102\"\nTCP6_IN = \"80\"\nIPV6 = \"1\"\n", allow, deny);
  EXPECT_THAT(open.tcp4.list(), ElementsAre(80, 100, 101, 102, 8080));
  EXPECT_THAT(open.tcp6.list(), ElementsAre(80));
  OpenPorts other = open;
  other.tcp4.remove(101);
  other.tcp4.remove(102);
  other.udp6.add(53);
  EXPECT_THAT(only_in(open, other), ElementsAre("tcp over IPv4 101-102"));
  EXPECT_THAT(only_in(other, open), ElementsAre("udp over IPv6 53"));
}

}  // namespace
}  // namespace palang::foreign
