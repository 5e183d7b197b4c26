#pragma once

#include <string>
#include <string_view>

#include "firewall/nft_script.hpp"
#include "firewall/peers.hpp"
#include "firewall/policy.hpp"

namespace palang {

// What the functions that write the parts of a policy share.
struct PolicyWriter {
  const FirewallSettings& settings;
  const Surroundings& surroundings;
  NftScript& script;
  PeerSets& peers;
  CompiledPolicy& policy;

  void rule(std::string_view chain, std::string_view text) { script.add_rule(chain, text); }
  // "goto fw_refuse_3"
  [[nodiscard]] std::string go_to(std::string_view chain) const { return "goto " + script.name(chain); }
  [[nodiscard]] bool is_over(const FirewallRule& rule) const { return rule.until && *rule.until <= surroundings.now; }
};

// How a chain sees the port that a stranger called: forwarded packets were sent on by then.
enum class PortSeen : uint8_t { here, before_translation };

// What comes in to this host, in the order of its chain.
void write_input(PolicyWriter& writer);
// The rules, knocks and open ports, for packets of any way.
void write_rules(PolicyWriter& writer, std::string_view chain, PortSeen seen);
// What ends a packet's way: fw_refuse (nothing opens the port), fw_denied (a rule is against it).
void write_refusals(PolicyWriter& writer);
// fw_open: what is open to all passes here, within its limits.
void write_limits(PolicyWriter& writer);
void write_knocks(PolicyWriter& writer);
void write_essentials(PolicyWriter& writer, std::string_view chain);  // ICMP errors, neighbour discovery
// What this host sends.
void write_output(PolicyWriter& writer);
// Published ports of Docker.
void write_forward(PolicyWriter& writer);
void write_redirects(PolicyWriter& writer);
void write_syn_proxy(PolicyWriter& writer);

// " dport 80"-like matches. Empty ports: the protocol alone.
[[nodiscard]] std::string match_ports(FirewallProtocol protocol, const PortSpans& ports, PortSeen seen);

}  // namespace palang
