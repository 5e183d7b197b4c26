#include "firewall/csf_filter.hpp"
#include "firewall/iptables_save.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign {

namespace {

// "22", "80,443", "1000:2000"
bool read_iptables_ports(std::string_view text, std::vector<std::string>& ports) {
  for (const std::string_view piece : csf::split(text, ',')) {
    auto range = read_port_range(piece, ':');
    if (!range || range->last == 0) return false;
    range->first = std::max(range->first, uint16_t{1});
    ports.push_back(port_text(*range));
  }
  return true;
}

bool read_side_of_rule(std::string_view text, std::string& side) {
  bool widened = false;
  const auto network = csf::read_network(text, &widened);
  if (network) side = *network;
  return network.has_value();
}

bool is_word_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (const std::string_view one : words)
    if (one == word) return true;
  return false;
}

// An option with a value; false: not understood.
bool take_option(IptablesRule& rule, std::string_view option, const std::string& value) {
  if (option == "-p") {
    rule.protocol = value == "ipv6-icmp" || value == "icmpv6" ? "icmp" : value == "all" ? "any" : value;
    return is_word_of(rule.protocol, {"tcp", "udp", "icmp", "any"});
  }
  if (option == "-s") return read_side_of_rule(value, rule.source);
  if (option == "-d") return read_side_of_rule(value, rule.destination);
  if (is_word_of(option, {"--dport", "--dports"})) return read_iptables_ports(value, rule.ports);
  if (is_word_of(option, {"--sport", "--sports"})) return read_iptables_ports(value, rule.source_ports);
  if (option == "-i") rule.in = value;
  if (option == "-o") rule.out = value;
  if (is_word_of(option, {"--state", "--ctstate"})) rule.states = value;
  if (option == "--uid-owner") rule.user = value;
  if (option == "--gid-owner") rule.group = value;
  if (option == "--comment") rule.comment = value.substr(0, 200);
  if (option == "--to-ports") rule.to_ports = value;
  if (option == "-m")
    return is_word_of(value, {"tcp", "udp", "icmp", "icmp6", "multiport", "state", "conntrack", "comment", "owner"});
  return is_word_of(option, {"-i", "-o", "--state", "--ctstate", "--uid-owner", "--gid-owner", "--comment",
                             "--to-ports", "--reject-with"});
}

}  // namespace

IptablesRule read_iptables_rule(Place place, const std::vector<std::string>& words) {
  IptablesRule rule;
  rule.place = std::move(place);
  for (size_t i = 2; i < words.size(); i += 2) {
    if (i + 1 >= words.size() || words[i] == "!") {
      if (rule.strange.empty()) rule.strange = words[i];
      rule.not_source = rule.not_source || (words[i] == "!" && i + 1 < words.size() && words[i + 1] == "-s");
      --i;  // a word without a value
      continue;
    }
    if (words[i] == "-j" || words[i] == "-g") {
      rule.target = words[i + 1];
      if (words[i] == "-g" && rule.strange.empty()) rule.strange = "-g";
    } else if (!take_option(rule, words[i], words[i + 1]) && rule.strange.empty()) {
      rule.strange = words[i] + " " + words[i + 1];
    }
  }
  return rule;
}

}  // namespace palang::foreign
