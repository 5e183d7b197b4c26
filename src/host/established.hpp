#pragma once

#include <functional>

#include "base/error.hpp"
#include "host/root.hpp"
#include "net/address.hpp"
#include "net/ports.hpp"

namespace palang {

// Which of `tcp_ports` (on which services listen) have a connection from somebody whom nothing exempts: proof that the
// port is open to the public, whatever a blocked line says of it. Stops looking once all are answered.
[[nodiscard]] Result<PortSet> ports_in_use_by_strangers(const HostRoot& root, const PortSet& tcp_ports,
                                                        const std::function<bool(const Address&)>& is_exempt);

}  // namespace palang
