#include "firewall/policy.hpp"

#include <fmt/format.h>

#include <array>

#include "firewall/nft_words.hpp"
#include "firewall/policy_parts.hpp"

namespace palang {
namespace {

constexpr std::array<FirewallHook, 6> hooks{{
    {"fw_input", "type filter hook input priority filter", "in"},
    {"fw_output", "type filter hook output priority filter", "out"},
    {"fw_forward", "type filter hook forward priority filter", "forward"},
    {"fw_notrack", "type filter hook prerouting priority raw", "notrack"},
    {"fw_redirect", "type nat hook prerouting priority dstnat", "redirect"},
    {"fw_masquerade", "type nat hook postrouting priority srcnat", "masquerade"},
}};

void add_ports(PortSet& set, const PortSpans& spans) {
  for (const PortSpan& span : spans)
    for (uint32_t port = span.first; port <= span.last; ++port) set.add(static_cast<uint16_t>(port));
}

void add_open(PublicPorts& open, FirewallProtocol protocol, const PortSpans& spans) {
  if (protocol == FirewallProtocol::tcp) add_ports(open.tcp, spans);
  if (protocol == FirewallProtocol::udp) add_ports(open.udp, spans);
}

PublicPorts ports_open_to_all(const FirewallSettings& settings, WallTime now) {
  PublicPorts open;
  add_ports(open.tcp, settings.tcp_in);
  add_ports(open.udp, settings.udp_in);
  for (const FirewallRule& rule : settings.rules) {
    const bool to_all = rule.action == FirewallRule::Action::allow && rule.direction == FirewallDirection::in &&
                        rule.peers.empty() && (!rule.until || *rule.until > now);
    if (to_all) add_open(open, rule.protocol, rule.ports);
  }
  for (const FirewallRedirect& redirect : settings.redirects) {
    add_open(open, redirect.protocol, {{redirect.port, redirect.port}});
    if (!redirect.to_address) add_open(open, redirect.protocol, {{redirect.to_port, redirect.to_port}});
  }
  return open;
}

void finish(CompiledPolicy& policy, const NftScript& script) {
  for (const FirewallHook& hook : hooks)
    if (script.has_chain(hook.part)) policy.hooks.push_back(hook.chain);
  policy.text = script.text();
}

void note_nobodies(PolicyWriter& writer) {
  const Surroundings& known = writer.surroundings;
  auto& notes = writer.policy.notes;
  for (const FirewallRule& rule : writer.settings.rules) {
    if (writer.is_over(rule)) notes.push_back(fmt::format("the rule of line {} is over", rule.written.line));
    for (const FirewallPeer& peer : rule.peers)
      if (peer.kind == FirewallPeer::Kind::host && !known.hosts.contains(peer.name))
        notes.push_back(
            fmt::format("{} has no address now: its rule of line {} is for nobody", peer.name, rule.written.line));
  }
  for (const FirewallList& list : writer.settings.lists) {
    const auto found = known.lists.find(list.name);
    if (found == known.lists.end() || found->second.empty())
      notes.push_back(fmt::format("list {} is empty", list.name));
  }
}

}  // namespace

std::span<const FirewallHook> firewall_hooks() {
  return hooks;
}

CompiledPolicy compile_policy(const FirewallSettings& settings, const Surroundings& surroundings, uint32_t generation) {
  CompiledPolicy policy;
  policy.generation = generation;
  NftScript script(generation);
  PeerSets peers(script, surroundings);
  PolicyWriter writer{settings, surroundings, script, peers, policy};
  write_input(writer);
  write_limits(writer);
  write_refusals(writer);
  write_output(writer);
  write_forward(writer);
  write_redirects(writer);
  write_syn_proxy(writer);
  note_nobodies(writer);
  policy.open = ports_open_to_all(settings, surroundings.now);
  finish(policy, script);
  return policy;
}

CompiledPolicy compile_panic(std::span<const Prefix> allowed, const PortSpans& ssh, uint32_t generation) {
  CompiledPolicy policy;
  policy.generation = generation;
  NftScript script(generation);
  const FirewallSettings settings;
  const Surroundings surroundings;
  PeerSets peers(script, surroundings);
  PolicyWriter writer{settings, surroundings, script, peers, policy};
  writer.rule("in", "iif lo accept");
  write_essentials(writer, "in");
  std::vector<FirewallPeer> all;
  for (const Prefix& prefix : allowed) all.push_back({FirewallPeer::Kind::prefix, prefix, {}});
  if (!all.empty())
    for (const std::string& match : peers.matches(all, true))
      writer.rule("in", fmt::format("{} tcp dport {} counter accept", match, nft_ports(ssh)));
  writer.rule("in", "counter drop");
  finish(policy, script);
  return policy;
}

}  // namespace palang
