#include "host/gateways.hpp"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <set>

namespace palang {
namespace {

// By its length: 4 bytes or 16.
void add_address(Bytes bytes, std::vector<Address>& gateways) {
  Address address;
  if (const auto six = read_struct<std::array<uint8_t, 16>>(bytes))
    address = Address::from_bytes(*six);
  else if (const auto four = read_struct<uint32_t>(bytes))
    address = Address::v4(ntohl(*four));
  if (address.is_unicast()) gateways.push_back(address);
}

// RTA_VIA: a gateway of the other family, an IPv4 route over an IPv6 router (RFC 5549).
void add_via(Bytes via, std::vector<Address>& gateways) {
  constexpr size_t address_at = offsetof(rtvia, rtvia_addr);
  if (via.size() > address_at) add_address(via.subspan(address_at), gateways);
}

// RTA_MULTIPATH: one struct rtnexthop for each way, with attributes of its own.
void add_multipath(Bytes hops, std::vector<Address>& gateways) {
  while (const auto hop = read_struct<rtnexthop>(hops)) {
    if (hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > hops.size()) return;
    for_each_attribute(hops.subspan(sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop)),
                       [&](uint16_t type, Bytes content) {
                         if (type == RTA_GATEWAY) add_address(content, gateways);
                         if (type == RTA_VIA) add_via(content, gateways);
                       });
    hops = behind(hops, hop->rtnh_len);
  }
}

}  // namespace

std::vector<Address> gateways_of_route(Bytes payload) {
  const auto route = read_struct<rtmsg>(payload);
  if (!route || route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST) return {};
  std::vector<Address> gateways;
  for_each_attribute(payload.subspan(sizeof(rtmsg)), [&](uint16_t type, Bytes content) {
    if (type == RTA_GATEWAY) add_address(content, gateways);
    if (type == RTA_VIA) add_via(content, gateways);
    if (type == RTA_MULTIPATH) add_multipath(content, gateways);
  });
  return gateways;
}

Result<std::vector<Address>> default_gateways() {
  std::set<Address> gateways;
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg request{};
    request.rtm_family = static_cast<uint8_t>(family);
    const auto done =
        netlink_dump(NETLINK_ROUTE, RTM_GETROUTE, std::as_bytes(std::span(&request, 1)), [&](Bytes payload) {
          for (const Address& gateway : gateways_of_route(payload)) gateways.insert(gateway);
          return true;
        });
    if (!done) return Failure(done.error());
  }
  return std::vector<Address>(gateways.begin(), gateways.end());
}

}  // namespace palang
