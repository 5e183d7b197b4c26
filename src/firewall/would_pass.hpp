#pragma once

#include <cstdint>
#include <string>

#include "firewall/surroundings.hpp"
#include "model/firewall_settings.hpp"

namespace palang {

// Someone begins something with this host.
struct Contact {
  Address peer;
  FirewallProtocol protocol = FirewallProtocol::tcp;
  uint16_t port = 0;
};

// What a policy does with the first packet of a contact; rates, knocks and raw files are not looked at.
struct Admission {
  bool passes = false;
  std::string why;  // "the rule of line 12", "list office", "no rule opens tcp/22 to it"
};
[[nodiscard]] Admission would_pass(const FirewallSettings& settings, const Surroundings& surroundings,
                                   const Contact& contact);

}  // namespace palang
