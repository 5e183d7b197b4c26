#include <fmt/format.h>

#include <array>

#include "firewall/nft_words.hpp"
#include "firewall/policy_parts.hpp"

namespace palang {
namespace {

std::string match_time(const FirewallRule& rule) {
  if (!rule.until) return {};
  // In nanoseconds since 1970, as the kernel has it: dates in words would be read in the local time zone.
  const auto end = std::chrono::duration_cast<std::chrono::nanoseconds>(rule.until->time_since_epoch());
  return fmt::format("meta time < {}", end.count());
}

std::string match_source_ports(const FirewallRule& rule) {
  if (rule.source_ports.empty()) return {};
  return fmt::format("{} sport {}", nft_protocol(rule.protocol), nft_ports(rule.source_ports));
}

void write_rule(PolicyWriter& writer, const FirewallRule& rule, std::string_view chain, PortSeen seen) {
  const bool allows = rule.action == FirewallRule::Action::allow;
  const std::string verdict = !allows                  ? writer.go_to("denied")
                              : !rule.peers.empty()    ? std::string("accept")
                              : seen == PortSeen::here ? writer.go_to("open")
                                                       : std::string("accept");
  for (const std::string& match : writer.peers.matches(rule.peers, true)) {
    const std::array<std::string, 6> parts{match,
                                           match_ports(rule.protocol, rule.ports, seen),
                                           match_source_ports(rule),
                                           match_time(rule),
                                           "counter " + verdict,
                                           nft_comment(rule.note)};
    writer.rule(chain, words(parts));
  }
}

void write_open_ports(PolicyWriter& writer, std::string_view chain, PortSeen seen) {
  const FirewallSettings& settings = writer.settings;
  const std::string verdict = seen == PortSeen::here ? writer.go_to("open") : std::string("accept");
  if (!settings.tcp_in.empty())
    writer.rule(chain, match_ports(FirewallProtocol::tcp, settings.tcp_in, seen) + " counter " + verdict);
  if (!settings.udp_in.empty())
    writer.rule(chain, match_ports(FirewallProtocol::udp, settings.udp_in, seen) + " counter " + verdict);
}

}  // namespace

std::string match_ports(FirewallProtocol protocol, const PortSpans& ports, PortSeen seen) {
  if (protocol == FirewallProtocol::any) return {};
  if (protocol == FirewallProtocol::icmp) return "meta l4proto { icmp, ipv6-icmp }";
  const std::string_view name = nft_protocol(protocol);
  if (ports.empty()) return fmt::format("meta l4proto {}", name);
  if (seen == PortSeen::here) return fmt::format("{} dport {}", name, nft_ports(ports));
  return fmt::format("meta l4proto {} ct original proto-dst {}", name, nft_ports(ports));
}

void write_rules(PolicyWriter& writer, std::string_view chain, PortSeen seen) {
  for (const FirewallRule& rule : writer.settings.rules)
    if (rule.direction == FirewallDirection::in && !writer.is_over(rule)) write_rule(writer, rule, chain, seen);
  if (seen == PortSeen::here) write_knocks(writer);
  write_open_ports(writer, chain, seen);
}

// Who is at step N of a sequence stands in a set for as long as the next knock may take. Any other port ends it, so
// that a scan of all ports opens nothing; the ports of the sequence itself don't, as a SYN may be sent twice.
void write_knocks(PolicyWriter& writer) {
  for (size_t i = 0; i < writer.settings.knocks.size(); ++i) {
    const FirewallKnock& knock = writer.settings.knocks[i];
    const std::string protocol(nft_protocol(knock.protocol));
    const size_t steps = knock.sequence.size();
    PortSpans own;
    for (const uint16_t port : knock.sequence) own.push_back({port, port});
    const std::string chain = fmt::format("knock{}", i + 1);
    const std::string fresh = knock.protocol == FirewallProtocol::tcp ? "tcp flags & (fin|syn|rst|ack) == syn " : "";
    for (const bool v4 : {true, false}) {
      const std::string side = nft_side(v4, true);
      const auto set = [&](size_t step) {
        return fmt::format("{}_{}_{}", chain, step == steps ? "open" : fmt::format("step{}", step), v4 ? 4 : 6);
      };
      for (size_t step = 1; step <= steps; ++step)
        writer.script.add_set(set(step), fmt::format("type {}; size 65535; flags dynamic,timeout; timeout {};",
                                                     v4 ? "ipv4_addr" : "ipv6_addr",
                                                     nft_timeout(step == steps ? knock.opens_for : knock.within)));
      const auto name = [&](size_t step) { return writer.script.name(set(step)); };
      writer.rule("in", fmt::format("{} dport {} {} @{} counter accept", protocol, nft_ports({knock.opens}), side,
                                    name(steps)));
      for (size_t step = steps; step >= 2; --step)
        writer.rule(
            chain, fmt::format("{} dport {} {} @{} update @{} {{ {} }} delete @{} {{ {} }} counter drop", protocol,
                               knock.sequence[step - 1], side, name(step - 1), name(step), side, name(step - 1), side));
      writer.rule(chain, fmt::format("{} dport {} update @{} {{ {} }} counter drop", protocol, knock.sequence[0],
                                     name(1), side));
      for (size_t step = 1; step < steps; ++step)
        writer.rule(chain, fmt::format("{} dport != {} {} @{} delete @{} {{ {} }}", protocol, nft_ports(own), side,
                                       name(step), name(step), side));
    }
    writer.rule("in",
                fmt::format("{}meta l4proto {} ct state new jump {}", fresh, protocol, writer.script.name(chain)));
  }
}

}  // namespace palang
