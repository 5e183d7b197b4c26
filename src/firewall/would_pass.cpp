#include "firewall/would_pass.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace palang {
namespace {

bool holds(const PortSpans& spans, uint16_t port) {
  return std::ranges::any_of(spans, [port](const PortSpan& span) { return span.first <= port && port <= span.last; });
}

bool list_holds(const Surroundings& surroundings, const std::string& list, const Address& address) {
  const auto found = surroundings.lists.find(list);
  return found != surroundings.lists.end() && std::ranges::any_of(found->second, [&](const Prefix& prefix) {
           return prefix.is_v4() == address.is_v4() && prefix.contains(address);
         });
}

bool is_peer(const Surroundings& surroundings, const FirewallPeer& peer, const Address& address) {
  switch (peer.kind) {
    case FirewallPeer::Kind::prefix: return peer.prefix.is_v4() == address.is_v4() && peer.prefix.contains(address);
    case FirewallPeer::Kind::list: return list_holds(surroundings, peer.name, address);
    case FirewallPeer::Kind::host: {
      const auto found = surroundings.hosts.find(peer.name);
      return found != surroundings.hosts.end() && std::ranges::find(found->second, address) != found->second.end();
    }
  }
  return false;
}

bool matches(const FirewallRule& rule, const Surroundings& surroundings, const Contact& contact) {
  if (rule.direction != FirewallDirection::in || (rule.until && *rule.until <= surroundings.now)) return false;
  if (rule.protocol != FirewallProtocol::any && rule.protocol != contact.protocol) return false;
  if (!rule.ports.empty() && !holds(rule.ports, contact.port)) return false;
  // From which port it will come is not known: a deny is taken to hold, an allow is not relied on.
  if (!rule.source_ports.empty() && rule.action == FirewallRule::Action::allow) return false;
  return rule.peers.empty() || std::ranges::any_of(rule.peers, [&](const FirewallPeer& peer) {
           return is_peer(surroundings, peer, contact.peer);
         });
}

}  // namespace

Admission would_pass(const FirewallSettings& settings, const Surroundings& surroundings, const Contact& contact) {
  if (contact.peer.is_loopback()) return {true, "loopback"};
  if (!settings.ipv6 && !contact.peer.is_v4()) return {false, "IPv6 is off (firewall.ipv6)"};
  for (const auto action : {FirewallList::Action::allow, FirewallList::Action::deny})
    for (const FirewallList& list : settings.lists)
      if (list.action == action && list_holds(surroundings, list.name, contact.peer))
        return {action == FirewallList::Action::allow, fmt::format("list {}", list.name)};
  for (const FirewallRule& rule : settings.rules)
    if (matches(rule, surroundings, contact))
      return {rule.action == FirewallRule::Action::allow, fmt::format("the rule of line {}", rule.written.line)};
  const bool tcp = contact.protocol == FirewallProtocol::tcp;
  if (holds(tcp ? settings.tcp_in : settings.udp_in, contact.port))
    return {true, tcp ? "firewall.tcp_in" : "firewall.udp_in"};
  return {false, fmt::format("no rule opens {}/{} to it", tcp ? "tcp" : "udp", contact.port)};
}

}  // namespace palang
