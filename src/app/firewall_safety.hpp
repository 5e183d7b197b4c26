#pragma once

#include <string>
#include <vector>

#include "firewall/surroundings.hpp"
#include "model/firewall_settings.hpp"
#include "net/ports.hpp"

namespace palang {

// Who must not be shut out of this host.
struct Protected {
  std::vector<Address> admins;  // logged in over ssh right now
  PortSet ssh;                  // where sshd listens
  std::vector<Address> gateways;
};
[[nodiscard]] Protected look_for_protected();

// "your ssh session from 203.0.113.7 would be cut: …"; by its name an admin says that he means it.
struct LockOut {
  std::string name;  // "203.0.113.7", "ssh", "gateway"
  std::string sentence;
};
[[nodiscard]] std::vector<LockOut> find_lock_outs(const FirewallSettings& settings, const Surroundings& surroundings,
                                                  const Protected& guarded);

}  // namespace palang
