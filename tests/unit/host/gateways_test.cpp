#include "host/gateways.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "host/exempt.hpp"
#include "host/own_addresses.hpp"
#include "own_namespace.hpp"

namespace palang {
namespace {

using Message = std::vector<std::byte>;

void append(Message& message, const void* data, size_t size) {
  const auto* const bytes = static_cast<const std::byte*>(data);
  message.insert(message.end(), bytes, bytes + size);
  while (message.size() % 4 != 0) message.push_back(std::byte{0});
}

void append_attribute(Message& message, uint16_t type, const void* data, size_t size) {
  const rtattr header{static_cast<uint16_t>(sizeof(rtattr) + size), type};
  append(message, &header, sizeof header);
  append(message, data, size);
}

Message route(uint8_t length, uint8_t type) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = length;
  header.rtm_type = type;
  Message message;
  append(message, &header, sizeof header);
  return message;
}

std::vector<std::string> gateways(const Message& message) {
  std::vector<std::string> out;
  for (const Address& address : gateways_of_route(message)) out.push_back(address.text());
  return out;
}
using Texts = std::vector<std::string>;

const uint32_t router = htonl(0xc0000201);

TEST(Gateways, ADefaultRouteNamesIts) {
  Message message = route(0, RTN_UNICAST);
  append_attribute(message, RTA_GATEWAY, &router, sizeof router);
  EXPECT_EQ(gateways(message), (Texts{"192.0.2.1"}));
}

TEST(Gateways, AnIPv4RouteMayLeadOverAnIPv6Router) {
  Message via(sizeof(uint16_t));
  const auto bytes = Address::parse("2001:db8::1")->bytes();
  const auto* const raw = reinterpret_cast<const std::byte*>(bytes.data());
  via.insert(via.end(), raw, raw + bytes.size());
  Message message = route(0, RTN_UNICAST);
  append_attribute(message, RTA_VIA, via.data(), via.size());
  EXPECT_EQ(gateways(message), (Texts{"2001:db8::1"}));
}

TEST(Gateways, EachWayOfAMultipathRouteCounts) {
  Message hops;
  for (const uint32_t last : {1U, 2U}) {
    const uint32_t gateway = htonl(0xc0000200 + last);
    Message attributes;
    append_attribute(attributes, RTA_GATEWAY, &gateway, sizeof gateway);
    rtnexthop hop{};
    hop.rtnh_len = static_cast<uint16_t>(sizeof hop + attributes.size());
    append(hops, &hop, sizeof hop);
    append(hops, attributes.data(), attributes.size());
  }
  Message message = route(0, RTN_UNICAST);
  append_attribute(message, RTA_MULTIPATH, hops.data(), hops.size());
  EXPECT_EQ(gateways(message), (Texts{"192.0.2.1", "192.0.2.2"}));
}

TEST(Gateways, OtherRoutesNameNone) {
  Message network = route(24, RTN_UNICAST);
  append_attribute(network, RTA_GATEWAY, &router, sizeof router);
  EXPECT_TRUE(gateways(network).empty());
  Message blackhole = route(0, RTN_BLACKHOLE);
  append_attribute(blackhole, RTA_GATEWAY, &router, sizeof router);
  EXPECT_TRUE(gateways(blackhole).empty());
  EXPECT_TRUE(gateways(Message(3)).empty());
}

TEST(Gateways, BrokenAttributesEndTheReading) {
  Message message = route(0, RTN_UNICAST);
  append_attribute(message, RTA_GATEWAY, &router, sizeof router);
  const rtattr endless{0xffff, RTA_GATEWAY};
  append(message, &endless, sizeof endless);
  const rtattr empty{0, RTA_GATEWAY};
  append(message, &empty, sizeof empty);
  EXPECT_EQ(gateways(message), (Texts{"192.0.2.1"}));
}

TEST(Gateways, OfAllTablesOfARealHostAreFound) {
  const std::string why_not = in_own_network([] {
    EXPECT_TRUE(run({"ip", "route", "add", "default", "via", "198.51.100.254"}));
    EXPECT_TRUE(run({"ip", "route", "add", "default", "via", "198.51.100.253", "table", "100"}));
    EXPECT_TRUE(run({"ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.252"}));
    EXPECT_TRUE(run({"ip", "-6", "route", "add", "default", "via", "2001:db8::fe"}));
    const auto found = default_gateways();
    ASSERT_TRUE(found.has_value()) << found.error().text;
    std::vector<std::string> names;
    for (const Address& address : *found) names.push_back(address.text());
    EXPECT_EQ(names, (std::vector<std::string>{"198.51.100.253", "198.51.100.254", "2001:db8::fe"}));

    const auto own = own_addresses();
    ASSERT_TRUE(own.has_value()) << own.error().text;
    EXPECT_TRUE(std::ranges::count(*own, *Address::parse("198.51.100.1")) == 1);
    EXPECT_TRUE(std::ranges::count(*own, *Address::parse("2001:db8::1")) == 1);
    EXPECT_TRUE(std::ranges::none_of(*own, &Address::is_loopback));

    const ExemptReport report = gather_exempt(HostRoot());
    EXPECT_TRUE(report.troubles.empty());
    std::vector<std::string> exempt;
    for (const Exempt& entry : report.exempt) exempt.push_back(entry.text());
    for (const char* const expected : {"127.0.0.0/8 (loopback)", "::1 (loopback)", "198.51.100.1 (own address)",
                                       "198.51.100.254 (gateway)", "2001:db8::fe (gateway)"})
      EXPECT_TRUE(std::ranges::count(exempt, expected) == 1) << expected;
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Exempt, AnAddressKeepsAllItsReasons) {
  const Prefix router_prefix = Prefix::of(*Address::parse("192.0.2.1"));
  const std::vector<Exempt> entries{{router_prefix, "gateway"},
                                    {Prefix::of(*Address::parse("192.0.2.9")), "live ssh peer"},
                                    {router_prefix, "resolver"}};
  const auto merged = merge_exempt(entries);
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_EQ(merged[0].text(), "192.0.2.1 (gateway, resolver)");
  EXPECT_EQ(merged[1].text(), "192.0.2.9 (live ssh peer)");
}

}  // namespace
}  // namespace palang
