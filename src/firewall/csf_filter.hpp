#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign::csf {

// One of CSF's advanced filters: "tcp|in|d=22|s=198.51.100.0/24", or its old form with colons.
struct Filter {
  std::string protocol = "tcp";  // "udp", "icmp"
  bool out = false;
  std::vector<PortRange> ports;         // d= with a number
  std::vector<PortRange> source_ports;  // s= with a number
  std::string icmp_type;                // d= of an icmp filter
  std::string source;                   // s= with an address or a name
  std::string destination;              // d= with one
  std::string user;                     // u=
  std::string group;                    // g=
};

// Whether a line of csf.allow, csf.deny or csf.dyndns is a filter, and no address or name.
[[nodiscard]] bool is_filter(std::string_view text);

// The error is what is wrong with it, in words.
[[nodiscard]] Result<Filter> parse_filter(std::string_view text);

// An address, or a network as iptables takes it: "198.51.100.7/24" is 198.51.100.0/24; then `*widened` is true.
[[nodiscard]] Result<std::string> read_network(std::string_view text, bool* widened);

// A host name with at least one dot.
[[nodiscard]] bool is_host_name(std::string_view text);

}  // namespace palang::foreign::csf
