#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "model/source.hpp"
#include "net/address.hpp"
#include "net/ports.hpp"
#include "parse/line_parser.hpp"

namespace palang {

// The headers of an IPv4 or IPv6 packet, as far as its bytes reach. What is not there is zero.
struct PacketHeaders {
  Address source;
  Address destination;
  bool v4 = true;
  uint16_t length = 0;  // as the IP header has it: IPv4 the whole packet, IPv6 what is behind the first header
  uint8_t traffic_class = 0;
  uint8_t hop_limit = 0;
  uint8_t protocol_number = 0;
  Protocol protocol = Protocol::other;
  uint16_t fragment_at = 0;  // bytes into the original packet; over 0: ports and types are in the first fragment only
  bool has_ports = false;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint16_t udp_length = 0;
  bool has_flags = false;
  uint8_t tcp_flags = 0;
  bool has_icmp_type = false;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
};

enum class PacketTrouble : uint8_t {
  not_ip,  // ARP, or anything else that is no IP
  cut,     // its headers say that there is more than there is, or what can't be
};

// Walks over options and extension headers; never reads behind the bytes, whatever they say.
[[nodiscard]] std::expected<PacketHeaders, PacketTrouble> read_packet(std::span<const uint8_t> bytes);

// bytes → Event: what LineParser says of the line that the kernel would have logged about this packet.
// The event has no line; see describe_packet().
[[nodiscard]] ParsedLine parse_packet(const RawPacket& raw);

// That line, as far as it matters, for people and as evidence:
//   "refused: IN=eth0 OUT= MAC=… SRC=203.0.113.7 DST=198.51.100.6 LEN=40 TOS=0x00 TTL=55 PROTO=TCP SPT=64490 DPT=8083
//   RES=0x00 SYN URGP=0"
[[nodiscard]] std::string describe_packet(const RawPacket& raw);

}  // namespace palang
