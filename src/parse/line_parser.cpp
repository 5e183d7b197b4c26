#include "parse/line_parser.hpp"

#include "net/address_text.hpp"
#include "parse/netfilter_line.hpp"

namespace palang {
namespace {

// To a multicast or broadcast address, by its own or by that of the link.
bool is_to_group(const NetfilterLine& line) {
  if (line.mac_destination.starts_with('f') && line.mac_destination == "ff:ff:ff:ff:ff:ff") return true;
  return is_group(line.destination);
}

LineFate fate_of_packet(const NetfilterLine& line) {
  if (line.in.empty()) return line.out.empty() ? LineFate::broken : LineFate::outbound;
  if (!line.out.empty()) return LineFate::forwarded;
  if (line.later_fragment) return LineFate::backscatter;
  switch (line.protocol) {
    case Protocol::tcp:
      if (line.ack || line.rst) return LineFate::backscatter;
      if (!line.has_ports || !line.has_flags) return LineFate::broken;
      if (!line.syn) return LineFate::backscatter;
      break;
    case Protocol::udp:
      if (!line.has_ports) return LineFate::broken;
      break;
    case Protocol::icmp:
    case Protocol::icmp6:
      if (!line.has_icmp_type) return LineFate::broken;
      if (is_of_the_link(line.protocol, line.icmp_type)) return LineFate::backscatter;
      break;
    case Protocol::other:
      if (line.protocol_text.empty()) return LineFate::broken;
      return LineFate::not_ours;
  }
  return is_to_group(line) ? LineFate::group : LineFate::judged;
}

}  // namespace

std::string_view line_fate_name(LineFate fate) {
  switch (fate) {
    case LineFate::judged: return "judged";
    case LineFate::not_ours: return "not_ours";
    case LineFate::no_header: return "no_header";
    case LineFate::broken: return "broken";
    case LineFate::backscatter: return "backscatter";
    case LineFate::outbound: return "outbound";
    case LineFate::forwarded: return "forwarded";
    case LineFate::group: return "group";
    case LineFate::matched: return "matched";
    case LineFate::unmatched: return "unmatched";
    case LineFate::read_elsewhere: return "read_elsewhere";
  }
  return "?";
}

ParsedLine LineParser::parse(const RawLine& raw) {
  ParsedLine parsed;
  const auto line = reader_.read(raw);
  if (!line) return parsed;
  if (!line->from_kernel) {
    parsed.fate = LineFate::not_ours;
    line_ = *line;
    return parsed;
  }
  parsed.event.at = line->at;
  if (const auto packet = familiar_.read(line->message)) {
    judge(*packet, raw, parsed);
    return parsed;
  }
  const auto packet = parse_netfilter(line->message);
  parsed.fate = packet ? fate_of_packet(*packet) : LineFate::not_ours;
  if (!packet) line_ = *line;
  if (parsed.fate != LineFate::judged) return parsed;
  familiar_.learn(line->message, *packet);
  const bool has_port = packet->protocol == Protocol::tcp || packet->protocol == Protocol::udp;
  const uint16_t port = has_port ? packet->destination_port : uint16_t{0};
  judge({packet->source, packet->protocol, port, says_port_is_closed(packet->prefix)}, raw, parsed);
  return parsed;
}

void LineParser::judge(const FamiliarPackets::Packet& packet, const RawLine& raw, ParsedLine& parsed) {
  const auto source = read_address(packet.source, raw.text.data() + raw.text.size());
  parsed.fate = source && source->is_unicast() ? LineFate::judged : LineFate::broken;
  if (parsed.fate == LineFate::broken) return;
  Event& event = parsed.event;
  event.source = *source;
  event.port = packet.destination_port;
  event.protocol = packet.protocol;
  event.port_is_closed = packet.port_is_closed;
  event.line = raw.text;
}

}  // namespace palang
