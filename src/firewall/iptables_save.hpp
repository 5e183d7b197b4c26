#pragma once

#include <map>
#include <string>
#include <vector>

#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"
#include "firewall/open_ports.hpp"

namespace palang::foreign {

// What iptables-save or ip6tables-save printed, or a directory with rules.v4 and rules.v6 (/etc/iptables). The chains
// INPUT and OUTPUT, with the chains that they jump to, become rules in their order; the policy is what is left.
[[nodiscard]] Result<Import> import_iptables(const std::string& path, const csf::ReadFile& read);

// One line "-A CHAIN ..." as far as it is understood.
struct IptablesRule {
  Place place;
  std::string target;  // "ACCEPT", a chain, ""
  std::string protocol = "any";
  std::string source;
  std::string destination;
  std::vector<std::string> ports;  // as palang.toml writes them
  std::vector<std::string> source_ports;
  std::string in;  // interface
  std::string out;
  std::string states;  // "RELATED,ESTABLISHED"
  std::string user;
  std::string group;
  std::string comment;
  std::string strange;      // the first word that is not understood; "": all are
  bool not_source = false;  // "! -s ..."; then it is strange, too
  std::string to_ports;     // of REDIRECT
};

[[nodiscard]] IptablesRule read_iptables_rule(Place place, const std::vector<std::string>& words);

struct IptablesTables {
  struct Chains {
    std::map<std::string, std::string, std::less<>> policies;
    std::map<std::string, std::vector<IptablesRule>, std::less<>> rules;
  };
  Chains filter;
  Chains nat;
  bool v6 = false;
};

// Of the file, or of rules.v4 and rules.v6 in the directory: those that can be read.
[[nodiscard]] std::vector<IptablesTables> read_iptables_tables(const std::string& path, const csf::ReadFile& read,
                                                               ImportReport& report);

// What a stranger reaches by the chain INPUT, also by rules that palang's can't express, as far as they are known:
// those for an interface match. Where one family has no rules, it is what the other has.
[[nodiscard]] OpenPorts iptables_open_ports(const std::vector<IptablesTables>& all);

}  // namespace palang::foreign
