#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "host/netlink.hpp"
#include "model/interface.hpp"

namespace palang {

// All interfaces of this host, ascending by index.
[[nodiscard]] Result<std::vector<Interface>> all_interfaces();

// Indexes of the interfaces that default routes lead to, of all routing tables, IPv4 and IPv6.
[[nodiscard]] Result<std::set<uint32_t>> default_route_interfaces();

// Of one message of the kernel (struct ifinfomsg with its attributes, struct rtmsg with its attributes).
[[nodiscard]] std::optional<Interface> interface_of_link(Bytes payload);
[[nodiscard]] std::vector<uint32_t> interfaces_of_route(Bytes payload);

}  // namespace palang
