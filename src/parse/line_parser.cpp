#include "parse/line_parser.hpp"

#include "net/address_text.hpp"
#include "parse/netfilter_line.hpp"

namespace palang {
namespace {

// To a multicast or broadcast address. The kernel writes IPv4 dotted, so three digits from "224" on are 224.0.0.0/3.
bool is_to_group(const NetfilterLine& line) {
  const std::string_view to = line.destination;
  if (line.mac_destination.starts_with('f') && line.mac_destination == "ff:ff:ff:ff:ff:ff") return true;
  if (to.starts_with('f')) return to.starts_with("ff");
  return to.size() > 3 && to[3] == '.' && to[0] == '2' && to >= "224";
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
  const auto line = reader_.read(raw);
  if (!line) return {LineFate::no_header, {}};
  const auto not_ours = [&]() -> ParsedLine {
    line_ = *line;
    return {LineFate::not_ours, {}};
  };
  if (!line->from_kernel) return not_ours();
  const auto packet = parse_netfilter(line->message);
  if (!packet) return not_ours();
  const LineFate fate = fate_of_packet(*packet);
  if (fate != LineFate::judged) return {fate, {}};
  const auto source = read_address(packet->source, raw.text.data() + raw.text.size());
  if (!source || !source->is_unicast()) return {LineFate::broken, {}};

  Event event;
  event.at = line->at;
  event.source = *source;
  const bool has_port = packet->protocol == Protocol::tcp || packet->protocol == Protocol::udp;
  event.port = has_port ? packet->destination_port : uint16_t{0};
  event.protocol = packet->protocol;
  event.proof = Proof::forgeable;
  event.port_is_closed = says_port_is_closed(packet->prefix);
  event.line = raw.text;
  return {LineFate::judged, event};
}

}  // namespace palang
