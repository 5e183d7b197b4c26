#include "parse/packet.hpp"

#include <algorithm>
#include <array>

#include "parse/netfilter_line.hpp"

namespace palang {
namespace {

// IANA's numbers of protocols and IPv6 extension headers.
enum Number : uint8_t {
  hop_by_hop = 0,
  number_icmp = 1,
  number_tcp = 6,
  number_udp = 17,
  routing = 43,
  fragment = 44,
  authentication = 51,
  number_icmp6 = 58,
  destination_options = 60,
};

enum TcpFlag : uint8_t { fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10, urg = 0x20 };

using Bytes = std::span<const uint8_t>;

uint16_t two_at(Bytes bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

Address v4_at(Bytes bytes, size_t at) {
  return Address::v4(uint32_t{two_at(bytes, at)} << 16 | two_at(bytes, at + 2));
}

Address v6_at(Bytes bytes, size_t at) {
  std::array<uint8_t, 16> address{};
  std::ranges::copy(bytes.subspan(at, address.size()), address.begin());
  return Address::from_bytes(address);
}

Protocol protocol_of(uint8_t number) {
  switch (number) {
    case number_tcp: return Protocol::tcp;
    case number_udp: return Protocol::udp;
    case number_icmp: return Protocol::icmp;
    case number_icmp6: return Protocol::icmp6;
    default: return Protocol::other;
  }
}

// What the transport's header begins with. A header that is cut off says nothing.
void read_transport(PacketHeaders& packet, Bytes bytes) {
  constexpr size_t tcp_bytes = 20;
  constexpr size_t udp_bytes = 8;
  constexpr size_t icmp_bytes = 4;
  constexpr size_t tcp_flags_at = 13;
  if (packet.fragment_at > 0) return;
  switch (packet.protocol) {
    case Protocol::tcp:
      if (bytes.size() < tcp_bytes) return;
      packet.has_flags = true;
      packet.tcp_flags = bytes[tcp_flags_at];
      break;
    case Protocol::udp:
      if (bytes.size() < udp_bytes) return;
      packet.udp_length = two_at(bytes, 4);
      break;
    case Protocol::icmp:
    case Protocol::icmp6:
      if (bytes.size() < icmp_bytes || packet.v4 != (packet.protocol == Protocol::icmp)) return;
      packet.has_icmp_type = true;
      packet.icmp_type = bytes[0];
      packet.icmp_code = bytes[1];
      return;
    case Protocol::other: return;
  }
  packet.has_ports = true;
  packet.source_port = two_at(bytes, 0);
  packet.destination_port = two_at(bytes, 2);
}

std::expected<PacketHeaders, PacketTrouble> read_v4(Bytes bytes) {
  constexpr size_t least = 20;
  constexpr uint16_t offset_bits = 0x1fff;
  const size_t header = size_t{4} * (bytes[0] & 0x0f);
  if (header < least || bytes.size() < header) return std::unexpected(PacketTrouble::cut);
  PacketHeaders packet;
  packet.traffic_class = bytes[1];
  packet.length = two_at(bytes, 2);
  packet.fragment_at = static_cast<uint16_t>((two_at(bytes, 6) & offset_bits) * 8);
  packet.hop_limit = bytes[8];
  packet.protocol_number = bytes[9];
  packet.protocol = protocol_of(packet.protocol_number);
  packet.source = v4_at(bytes, 12);
  packet.destination = v4_at(bytes, 16);
  read_transport(packet, bytes.subspan(header));
  return packet;
}

// Bytes that an extension header takes; 0 for what is none.
size_t extension_bytes(uint8_t number, Bytes bytes) {
  switch (number) {
    case hop_by_hop:
    case routing:
    case destination_options: return size_t{8} * (bytes[1] + size_t{1});
    case fragment: return 8;
    case authentication: return size_t{4} * (bytes[1] + size_t{2});
    default: return 0;
  }
}

std::expected<PacketHeaders, PacketTrouble> read_v6(Bytes bytes) {
  constexpr size_t header = 40;
  constexpr size_t least_extension = 8;
  if (bytes.size() < header) return std::unexpected(PacketTrouble::cut);
  PacketHeaders packet;
  packet.v4 = false;
  packet.traffic_class = static_cast<uint8_t>(two_at(bytes, 0) >> 4);
  packet.length = two_at(bytes, 4);
  packet.hop_limit = bytes[7];
  packet.source = v6_at(bytes, 8);
  packet.destination = v6_at(bytes, 24);
  uint8_t next = bytes[6];
  Bytes rest = bytes.subspan(header);
  while (next == hop_by_hop || next == routing || next == destination_options || next == fragment ||
         next == authentication) {
    if (rest.size() < least_extension) return std::unexpected(PacketTrouble::cut);
    if (next == fragment) packet.fragment_at = static_cast<uint16_t>(two_at(rest, 2) & ~7U);
    const size_t taken = extension_bytes(next, rest);
    next = rest[0];
    // Behind the header that says so, a later fragment holds the middle of something.
    if (packet.fragment_at > 0) break;
    if (rest.size() < taken) return std::unexpected(PacketTrouble::cut);
    rest = rest.subspan(taken);
  }
  packet.protocol_number = next;
  packet.protocol = protocol_of(next);
  read_transport(packet, rest);
  return packet;
}

bool is_to_group(const PacketHeaders& packet, Bytes link_bytes) {
  constexpr size_t ethernet_address = 6;
  const auto all_ones = [](uint8_t byte) { return byte == 0xff; };
  if (link_bytes.size() >= ethernet_address && std::ranges::all_of(link_bytes.first(ethernet_address), all_ones))
    return true;
  if (packet.destination.is_v4()) return packet.destination.v4_bits() >> 29 == 7;
  return packet.destination.high() >> 56 == 0xff;
}

LineFate fate_of_headers(const PacketHeaders& packet) {
  if (packet.fragment_at > 0) return LineFate::backscatter;
  switch (packet.protocol) {
    case Protocol::tcp:
      if (!packet.has_ports) return LineFate::broken;
      return (packet.tcp_flags & (syn | ack | rst)) == syn ? LineFate::judged : LineFate::backscatter;
    case Protocol::udp: return packet.has_ports ? LineFate::judged : LineFate::broken;
    case Protocol::icmp:
    case Protocol::icmp6:
      if (!packet.has_icmp_type) return LineFate::broken;
      return is_of_the_link(packet.protocol, packet.icmp_type) ? LineFate::backscatter : LineFate::judged;
    case Protocol::other: return LineFate::not_ours;
  }
  return LineFate::broken;
}

std::string_view protocol_text(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp: return "TCP";
    case Protocol::udp: return "UDP";
    case Protocol::icmp: return "ICMP";
    case Protocol::icmp6: return "ICMPv6";
    case Protocol::other: break;
  }
  return {};
}

void append_hex(std::string& text, uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += digits[byte >> 4];
  text += digits[byte & 0x0f];
}

void append_number(std::string& text, std::string_view name, uint32_t value) {
  text.append(name).append(std::to_string(value));
}

void append_flags(std::string& text, uint8_t flags) {
  struct Named {
    TcpFlag flag;
    std::string_view name;
  };
  static constexpr std::array<Named, 6> names{
      {{urg, " URG"}, {ack, " ACK"}, {psh, " PSH"}, {rst, " RST"}, {syn, " SYN"}, {fin, " FIN"}}};
  text += " RES=0x00";
  for (const Named& one : names)
    if ((flags & one.flag) != 0) text += one.name;
  text += " URGP=0";
}

void append_headers(std::string& text, const PacketHeaders& packet) {
  text.append(" SRC=").append(packet.source.text()).append(" DST=").append(packet.destination.text());
  append_number(text, " LEN=", packet.length);
  if (packet.v4) {
    text += " TOS=0x";
    append_hex(text, packet.traffic_class);
    append_number(text, " TTL=", packet.hop_limit);
  } else {
    append_number(text, " TC=", packet.traffic_class);
    append_number(text, " HOPLIMIT=", packet.hop_limit);
  }
  if (packet.fragment_at > 0) append_number(text, " FRAG:", packet.fragment_at);
  text += " PROTO=";
  const bool of_family = packet.protocol != (packet.v4 ? Protocol::icmp6 : Protocol::icmp);
  const std::string_view name = of_family ? protocol_text(packet.protocol) : std::string_view{};
  text += name.empty() ? std::to_string(packet.protocol_number) : std::string(name);
  if (packet.has_ports) {
    append_number(text, " SPT=", packet.source_port);
    append_number(text, " DPT=", packet.destination_port);
  }
  // LineParser believes no number at the end of a line: it may be cut off.
  if (packet.has_ports && !packet.has_flags) append_number(text, " LEN=", packet.udp_length);
  if (packet.has_flags) append_flags(text, packet.tcp_flags);
  if (packet.has_icmp_type) {
    append_number(text, " TYPE=", packet.icmp_type);
    append_number(text, " CODE=", packet.icmp_code);
  }
}

}  // namespace

std::expected<PacketHeaders, PacketTrouble> read_packet(Bytes bytes) {
  if (bytes.empty()) return std::unexpected(PacketTrouble::cut);
  switch (bytes[0] >> 4) {
    case 4: return read_v4(bytes);
    case 6: return read_v6(bytes);
    default: return std::unexpected(PacketTrouble::not_ip);
  }
}

ParsedLine parse_packet(const RawPacket& raw) {
  if (raw.in.empty()) return {raw.out.empty() ? LineFate::broken : LineFate::outbound, {}};
  if (!raw.out.empty()) return {LineFate::forwarded, {}};
  const auto packet = read_packet(raw.bytes);
  if (!packet) return {packet.error() == PacketTrouble::not_ip ? LineFate::not_ours : LineFate::broken, {}};
  const LineFate fate = fate_of_headers(*packet);
  if (fate != LineFate::judged) return {fate, {}};
  if (is_to_group(*packet, raw.link_bytes)) return {LineFate::group, {}};
  if (!packet->source.is_unicast()) return {LineFate::broken, {}};

  Event event;
  event.at = raw.at;
  event.source = packet->source;
  event.port = packet->destination_port;
  event.protocol = packet->protocol;
  event.proof = Proof::forgeable;
  event.port_is_closed = says_port_is_closed(raw.prefix);
  return {LineFate::judged, event};
}

std::string describe_packet(const RawPacket& raw) {
  std::string text(raw.prefix);
  if (!text.empty() && text.back() != ' ') text += ' ';
  text.append("IN=").append(raw.in).append(" OUT=").append(raw.out).append(" MAC=");
  for (size_t i = 0; i < raw.link_bytes.size(); ++i) {
    if (i > 0) text += ':';
    append_hex(text, raw.link_bytes[i]);
  }
  if (const auto packet = read_packet(raw.bytes)) append_headers(text, *packet);
  return text;
}

}  // namespace palang
