#pragma once

#include <string>
#include <vector>

#include "firewall/csf_conf.hpp"
#include "firewall/csf_lines.hpp"
#include "model/firewall_settings.hpp"
#include "net/ports.hpp"

namespace palang::foreign {

// What a stranger, an address in none of the lists, reaches.
struct OpenPorts {
  PortSet tcp4;
  PortSet udp4;
  PortSet tcp6;
  PortSet udp6;
  friend bool operator==(const OpenPorts&, const OpenPorts&) = default;
};

// By the policy, rule for rule as the kernel would decide.
[[nodiscard]] OpenPorts open_ports(const FirewallSettings& settings);

// By csf.conf and the filters of csf.allow and csf.deny, read anew and by no part of the importer: so that a fault of
// the importer shows. Where IPV6 is off, CSF opened all of IPv6: then it is what IPv4 has.
[[nodiscard]] OpenPorts csf_open_ports(std::string_view conf, const std::vector<csf::Line>& allow,
                                       const std::vector<csf::Line>& deny);

// "tcp4 8080-8090", for each range that is open in `a` and not in `b`.
[[nodiscard]] std::vector<std::string> only_in(const OpenPorts& a, const OpenPorts& b);

}  // namespace palang::foreign
