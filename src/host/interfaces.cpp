#include "host/interfaces.hpp"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

#include "host/offloads.hpp"

namespace palang {
namespace {

std::string text_of(Bytes content) {
  const std::string_view all(reinterpret_cast<const char*>(content.data()), content.size());
  return std::string(all.substr(0, all.find('\0')));
}

// Of IFLA_LINKINFO: "veth", "bridge"; empty for hardware.
std::string kind_of(Bytes link_info) {
  std::string kind;
  for_each_attribute(link_info, [&](uint16_t type, Bytes content) {
    if (type == IFLA_INFO_KIND) kind = text_of(content);
  });
  return kind;
}

void add_hops(Bytes hops, std::vector<uint32_t>& indexes) {
  while (const auto hop = read_struct<rtnexthop>(hops)) {
    if (hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > hops.size()) return;
    if (hop->rtnh_ifindex > 0) indexes.push_back(static_cast<uint32_t>(hop->rtnh_ifindex));
    hops = behind(hops, hop->rtnh_len);
  }
}

}  // namespace

std::optional<Interface> interface_of_link(Bytes payload) {
  const auto link = read_struct<ifinfomsg>(payload);
  if (!link || link->ifi_index <= 0) return std::nullopt;
  Interface interface;
  interface.index = static_cast<uint32_t>(link->ifi_index);
  interface.is_ethernet = link->ifi_type == ARPHRD_ETHER;
  interface.is_up = (link->ifi_flags & IFF_UP) != 0;
  for_each_attribute(behind(payload, sizeof(ifinfomsg)), [&](uint16_t type, Bytes content) {
    if (type == IFLA_IFNAME) interface.name = text_of(content);
    // What comes out of a veth was put in as large as it will be; with XDP the other end puts in single packets.
    if (type == IFLA_LINKINFO) interface.merges_packets = kind_of(content) == "veth";
  });
  if (interface.name.empty()) return std::nullopt;
  return interface;
}

std::vector<uint32_t> interfaces_of_route(Bytes payload) {
  const auto route = read_struct<rtmsg>(payload);
  if (!route || route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST) return {};
  std::vector<uint32_t> indexes;
  for_each_attribute(behind(payload, sizeof(rtmsg)), [&](uint16_t type, Bytes content) {
    if (const auto index = read_struct<uint32_t>(content); type == RTA_OIF && index) indexes.push_back(*index);
    if (type == RTA_MULTIPATH) add_hops(content, indexes);
  });
  return indexes;
}

Result<std::vector<Interface>> all_interfaces() {
  std::vector<Interface> all;
  const ifinfomsg request{};
  const auto done = netlink_dump(NETLINK_ROUTE, RTM_GETLINK, std::as_bytes(std::span(&request, 1)), [&](Bytes payload) {
    if (auto one = interface_of_link(payload)) all.push_back(*std::move(one));
    return true;
  });
  if (!done) return Failure(done.error());
  for (Interface& one : all) one.merges_packets = one.merges_packets || device_merges_packets(one.name);
  std::ranges::sort(all, {}, &Interface::index);
  return all;
}

Result<std::set<uint32_t>> default_route_interfaces() {
  std::set<uint32_t> indexes;
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg request{};
    request.rtm_family = static_cast<uint8_t>(family);
    const auto done =
        netlink_dump(NETLINK_ROUTE, RTM_GETROUTE, std::as_bytes(std::span(&request, 1)), [&](Bytes payload) {
          for (const uint32_t index : interfaces_of_route(payload)) indexes.insert(index);
          return true;
        });
    if (!done) return Failure(done.error());
  }
  return indexes;
}

}  // namespace palang
