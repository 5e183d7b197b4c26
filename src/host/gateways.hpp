#pragma once

#include <vector>

#include "base/error.hpp"
#include "host/netlink.hpp"
#include "net/address.hpp"

namespace palang {

// The gateways of the default routes of all routing tables, IPv4 and IPv6 (rtnetlink(7)); ascending, each once.
[[nodiscard]] Result<std::vector<Address>> default_gateways();

// The gateways of one route message (struct rtmsg and its attributes); none unless it is a unicast default route.
[[nodiscard]] std::vector<Address> gateways_of_route(Bytes payload);

}  // namespace palang
