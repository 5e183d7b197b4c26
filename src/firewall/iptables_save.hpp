#pragma once

#include <string>
#include <vector>

#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"

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
  std::string strange;   // the first word that is not understood; "": all are
  std::string to_ports;  // of REDIRECT
};

[[nodiscard]] IptablesRule read_iptables_rule(Place place, const std::vector<std::string>& words);

}  // namespace palang::foreign
