#pragma once

#include "host/root.hpp"

namespace palang {

// Whether this host passes packets on between interfaces, as routers and hosts of containers do.
[[nodiscard]] bool forwards_packets(const HostRoot& root);

}  // namespace palang
