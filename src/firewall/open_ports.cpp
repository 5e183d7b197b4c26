#include "firewall/open_ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"
#include "firewall/decided_ports.hpp"

namespace palang::foreign {

namespace {

struct Plane {
  FirewallProtocol protocol;
  bool v6;
};

bool is_for_strangers(const FirewallRule& rule, bool v6) {
  if (rule.direction != FirewallDirection::in || rule.until || !rule.source_ports.empty()) return false;
  if (rule.peers.empty()) return true;
  return std::ranges::any_of(rule.peers, [&](const FirewallPeer& peer) {
    return peer.kind == FirewallPeer::Kind::prefix && peer.prefix.length() == 0 && peer.prefix.is_v4() != v6;
  });
}

PortSet opened_by(const FirewallSettings& settings, const Plane& plane) {
  DecidedPorts ports;
  for (const FirewallRule& rule : settings.rules) {
    if (!is_for_strangers(rule, plane.v6)) continue;
    if (rule.protocol != plane.protocol && rule.protocol != FirewallProtocol::any) continue;
    const bool open = rule.action == FirewallRule::Action::allow;
    if (rule.ports.empty()) ports.decide(0, 65'535, open);
    for (const PortSpan& span : rule.ports) ports.decide(span.first, span.last, open);
  }
  if (plane.v6 && !settings.ipv6) return {};
  const PortSpans& spans = plane.protocol == FirewallProtocol::tcp ? settings.tcp_in : settings.udp_in;
  for (const PortSpan& span : spans) ports.decide(span.first, span.last, true);
  return ports.open();
}

// NAME = "VALUE" of csf.conf, the last one that is there.
std::string_view raw_value(std::string_view conf, std::string_view name) {
  std::string_view value;
  while (!conf.empty()) {
    const size_t end = std::min(conf.find('\n'), conf.size());
    const std::string_view line = trim(conf.substr(0, end));
    conf.remove_prefix(std::min(end + 1, conf.size()));
    if (!line.starts_with(name)) continue;
    const std::string_view rest = trim(line.substr(name.size()));
    if (!rest.starts_with('=')) continue;
    const size_t open = rest.find('"');
    const size_t close = open == std::string_view::npos ? open : rest.find('"', open + 1);
    if (close != std::string_view::npos) value = rest.substr(open + 1, close - open - 1);
  }
  return value;
}

void decide_filters(DecidedPorts& ports, const std::vector<csf::Line>& lines, std::string_view protocol, bool v6,
                    bool open) {
  for (const csf::Line& line : lines) {
    if (!csf::is_filter(line.text)) continue;
    const auto filter = csf::parse_filter(line.text);
    if (!filter || filter->out || filter->protocol != protocol) continue;
    if (!filter->source_ports.empty() || filter->ports.empty()) continue;
    const std::string_view everyone = v6 ? "::/0" : "0.0.0.0/0";
    if (!filter->source.empty() && filter->source != everyone) continue;
    if (!filter->destination.empty() && filter->destination != everyone) continue;
    for (const PortRange& range : filter->ports) ports.decide(std::max<uint32_t>(range.first, 1), range.last, open);
  }
}

PortSet opened_by_csf(std::string_view conf, std::string_view option, std::string_view protocol, bool v6,
                      const std::vector<csf::Line>& allow, const std::vector<csf::Line>& deny) {
  DecidedPorts ports;
  decide_filters(ports, allow, protocol, v6, true);
  decide_filters(ports, deny, protocol, v6, false);
  for (const std::string_view piece : csf::split(raw_value(conf, option), ',')) {
    const size_t colon = piece.find(':');
    const auto first = csf::read_number(trim(piece.substr(0, colon)));
    const auto last = colon == std::string_view::npos ? first : csf::read_number(trim(piece.substr(colon + 1)));
    if (first && last && *last <= 65'535) ports.decide(std::max(*first, 1U), *last, true);
  }
  return ports.open();
}

void name_ranges(std::vector<std::string>& names, std::string_view plane, const PortSet& a, const PortSet& b) {
  uint32_t first = 65'536;
  for (uint32_t port = 0; port <= 65'536; ++port) {
    const bool differs =
        port <= 65'535 && a.contains(static_cast<uint16_t>(port)) && !b.contains(static_cast<uint16_t>(port));
    if (differs && first == 65'536) first = port;
    if (differs || first == 65'536) continue;
    names.push_back(first == port - 1 ? fmt::format("{} {}", plane, first)
                                      : fmt::format("{} {}-{}", plane, first, port - 1));
    first = 65'536;
  }
}

}  // namespace

OpenPorts open_ports(const FirewallSettings& settings) {
  return {opened_by(settings, {FirewallProtocol::tcp, false}), opened_by(settings, {FirewallProtocol::udp, false}),
          opened_by(settings, {FirewallProtocol::tcp, true}), opened_by(settings, {FirewallProtocol::udp, true})};
}

OpenPorts csf_open_ports(std::string_view conf, const std::vector<csf::Line>& allow,
                         const std::vector<csf::Line>& deny) {
  const std::string_view ipv6 = trim(raw_value(conf, "IPV6"));
  const bool v6 = !ipv6.empty() && ipv6 != "0";
  return {opened_by_csf(conf, "TCP_IN", "tcp", false, allow, deny),
          opened_by_csf(conf, "UDP_IN", "udp", false, allow, deny),
          opened_by_csf(conf, v6 ? "TCP6_IN" : "TCP_IN", "tcp", true, allow, deny),
          opened_by_csf(conf, v6 ? "UDP6_IN" : "UDP_IN", "udp", true, allow, deny)};
}

std::vector<std::string> only_in(const OpenPorts& a, const OpenPorts& b) {
  std::vector<std::string> names;
  name_ranges(names, "tcp over IPv4", a.tcp4, b.tcp4);
  name_ranges(names, "udp over IPv4", a.udp4, b.udp4);
  name_ranges(names, "tcp over IPv6", a.tcp6, b.tcp6);
  name_ranges(names, "udp over IPv6", a.udp6, b.udp6);
  return names;
}

}  // namespace palang::foreign
