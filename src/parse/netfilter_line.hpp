#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/ports.hpp"

namespace palang {

// The fields of a line that the kernel's LOG target or nft's `log` wrote (net/netfilter/nf_log_syslog.c).
// The views point into the message; a field that is not there is empty or zero.
struct NetfilterLine {
  std::string_view prefix;           // what the admin's rule put in front: "Firewall: *TCP_IN Blocked* "
  std::string_view in;               // interface it came in by
  std::string_view out;              // interface it was to leave by
  std::string_view mac_destination;  // "52:54:00:12:34:56"
  std::string_view source;
  std::string_view destination;
  std::string_view protocol_text;  // "TCP", or a number
  Protocol protocol = Protocol::other;
  uint16_t destination_port = 0;
  bool has_ports = false;
  uint8_t icmp_type = 0;
  bool has_icmp_type = false;
  bool later_fragment = false;  // of a fragmented packet: ports and types are in the first one only
  bool has_flags = false;       // the TCP flags were read to their end, or SYN among them
  bool syn = false;
  bool ack = false;
  bool rst = false;
};

// Finds "IN=… OUT=…" behind any prefix and reads the fields up to the flags; what a quoted inner packet
// ("[SRC=…") says is never taken for the outer one. Nothing if the message is no such line. Allocates nothing.
[[nodiscard]] std::optional<NetfilterLine> parse_netfilter(std::string_view message);

// Whether a destination, as the kernel writes it, is a multicast or broadcast address.
[[nodiscard]] bool is_group(std::string_view destination);

// Whether the prefix belongs to a rule that refuses a port to everyone (CSF's and UFW's default policy), rather than
// to one for a rate, a list or a broken packet. Unknown prefixes say nothing, so: no.
[[nodiscard]] bool says_port_is_closed(std::string_view prefix);

// Group membership and neighbour discovery (RFC 4443, RFC 4861): how IPv6 hosts of one link find each other, not a
// contact. All other ICMP is judged, errors and answers too (docs/decisions/0009).
[[nodiscard]] constexpr bool is_of_the_link(Protocol protocol, uint8_t icmp_type) {
  constexpr uint8_t first = 130;
  constexpr uint8_t last = 137;
  constexpr uint8_t listener_report_v2 = 143;
  return protocol == Protocol::icmp6 && ((icmp_type >= first && icmp_type <= last) || icmp_type == listener_report_v2);
}

}  // namespace palang
