#include "firewall/decided_ports.hpp"
#include "firewall/iptables_save.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign {

namespace {

constexpr int deepest_chain = 16;
constexpr size_t most_chains_taken = 1'000;

// The chain INPUT as a new packet of a stranger meets it, for all ports of one protocol at once.
class StrangerWalk {
 public:
  StrangerWalk(const IptablesTables& tables, std::string_view protocol) : tables_(tables), protocol_(protocol) {}

  [[nodiscard]] PortSet walk() {
    take("INPUT", 0);
    const auto policy = tables_.filter.policies.find("INPUT");
    ports_.decide(1, 65'535, policy == tables_.filter.policies.end() || policy->second == "ACCEPT");
    return ports_.open();
  }

 private:
  [[nodiscard]] bool matches(const IptablesRule& rule) const {
    if (rule.protocol != "any" && rule.protocol != protocol_) return false;
    if (!rule.states.empty() && rule.states.find("NEW") == std::string::npos) return false;
    if (rule.in == "lo" || !rule.source_ports.empty() || !rule.destination.empty()) return false;
    if (rule.not_source) return true;
    const bool everyone = rule.source.empty() || rule.source == "0.0.0.0/0" || rule.source == "::/0";
    return everyone && rule.strange.empty();
  }

  void take(const std::string& chain, int depth) {
    const auto found = tables_.filter.rules.find(chain);
    if (found == tables_.filter.rules.end() || depth > deepest_chain || ++taken_ > most_chains_taken) return;
    for (const IptablesRule& rule : found->second) {
      if (!matches(rule)) continue;
      const bool accept = rule.target == "ACCEPT";
      if (accept || rule.target == "DROP" || rule.target == "REJECT")
        decide(rule, accept);
      else if (rule.ports.empty() && rule.target == "RETURN")
        return;
      else if (rule.ports.empty())
        take(rule.target, depth + 1);
    }
  }

  void decide(const IptablesRule& rule, bool open) {
    if (rule.ports.empty()) ports_.decide(1, 65'535, open);
    for (const std::string& text : rule.ports)
      if (const auto range = read_port_range(text, '-')) ports_.decide(range->first, range->last, open);
  }

  const IptablesTables& tables_;
  std::string_view protocol_;
  DecidedPorts ports_;
  size_t taken_ = 0;
};

}  // namespace

OpenPorts iptables_open_ports(const std::vector<IptablesTables>& all) {
  OpenPorts open;
  bool v4 = false;
  bool v6 = false;
  for (const IptablesTables& tables : all) {
    (tables.v6 ? v6 : v4) = true;
    (tables.v6 ? open.tcp6 : open.tcp4) = StrangerWalk(tables, "tcp").walk();
    (tables.v6 ? open.udp6 : open.udp4) = StrangerWalk(tables, "udp").walk();
  }
  if (!v6) {
    open.tcp6 = open.tcp4;
    open.udp6 = open.udp4;
  } else if (!v4) {
    open.tcp4 = open.tcp6;
    open.udp4 = open.udp6;
  }
  return open;
}

}  // namespace palang::foreign
