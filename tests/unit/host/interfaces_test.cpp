#include "host/interfaces.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>

#include "host/link_watch.hpp"
#include "own_namespace.hpp"

namespace palang {
namespace {

std::optional<Interface> named(const std::string& name) {
  const auto all = all_interfaces();
  EXPECT_TRUE(all) << all.error().text;
  for (const Interface& one : *all)
    if (one.name == name) return one;
  return std::nullopt;
}

TEST(Interfaces, OfARealNetwork) {
  const std::string why_not = in_own_network([] {
    const auto cable = named("pl-host0");
    ASSERT_TRUE(cable);
    EXPECT_EQ(cable->index, ::if_nametoindex("pl-host0"));
    EXPECT_TRUE(cable->is_ethernet);
    EXPECT_TRUE(cable->is_up);
    EXPECT_TRUE(cable->merges_packets) << "a veth takes in large packets";
    EXPECT_FALSE(named("lo")->is_ethernet);
    EXPECT_TRUE(run({"ip", "link", "add", "pl-bridge", "type", "bridge"}));
    EXPECT_FALSE(named("pl-bridge")->is_up);
    EXPECT_FALSE(named("pl-bridge")->merges_packets);
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Interfaces, OfDefaultRoutesAreFoundInBothFamilies) {
  const std::string why_not = in_own_network([] {
    EXPECT_TRUE(default_route_interfaces()->empty());
    EXPECT_TRUE(run({"ip", "route", "add", "default", "via", "198.51.100.254"}));
    EXPECT_EQ(*default_route_interfaces(), (std::set{::if_nametoindex("pl-host0")}));
    EXPECT_TRUE(run({"ip", "-6", "route", "add", "default", "dev", "pl-host1"}));
    EXPECT_EQ(*default_route_interfaces(), (std::set{::if_nametoindex("pl-host0"), ::if_nametoindex("pl-host1")}));
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Interfaces, OfARouteWithSeveralWaysAreAllOfThem) {
  const std::string why_not = in_own_network([] {
    EXPECT_TRUE(run({"ip", "addr", "add", "203.0.113.1/24", "dev", "pl-host1"}));
    EXPECT_TRUE(
        run({"ip", "route", "add", "default", "nexthop", "via", "198.51.100.254", "nexthop", "via", "203.0.113.254"}));
    EXPECT_EQ(default_route_interfaces()->size(), 2U);
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Interfaces, OfBrokenMessagesAreNone) {
  const std::vector<std::byte> message(sizeof(rtmsg) + 40, std::byte{0xff});
  for (size_t length = 0; length <= message.size(); ++length) {
    const Bytes cut = Bytes(message).first(length);
    EXPECT_FALSE(interface_of_link(cut));
    EXPECT_TRUE(interfaces_of_route(cut).empty());
  }
}

TEST(LinkWatch, HearsOfInterfacesAndRoutes) {
  const std::string why_not = in_own_network([] {
    auto watch = LinkWatch::open();
    ASSERT_TRUE(watch) << watch.error().text;
    const auto is_readable = [&] {
      fd_set set;
      FD_ZERO(&set);
      FD_SET(watch->fd(), &set);
      timeval none{};
      return ::select(watch->fd() + 1, &set, nullptr, nullptr, &none) == 1;
    };
    for (const std::vector<std::string>& change :
         {std::vector<std::string>{"ip", "link", "add", "pl-bridge", "type", "bridge"},
          {"ip", "link", "set", "pl-bridge", "name", "pl-bridge2"},
          {"ip", "route", "add", "default", "via", "198.51.100.254"},
          {"ip", "link", "del", "pl-bridge2"}}) {
      watch->drain();
      EXPECT_FALSE(is_readable());
      ASSERT_TRUE(run(change));
      EXPECT_TRUE(is_readable()) << change[1] << " " << change[2];
    }
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

}  // namespace
}  // namespace palang
