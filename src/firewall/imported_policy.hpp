#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firewall/import_report.hpp"

namespace palang::foreign {

// What an importer has understood: palang.toml's [firewall] and what stands beside it, as texts. The values are valid
// by construction; whoever writes the file checks it whole.

struct ImportedRule {
  bool allow = true;
  bool out = false;
  std::string protocol = "any";  // "tcp", "udp", "icmp"
  std::vector<std::string> ports;
  std::vector<std::string> source_ports;
  std::vector<std::string> peer;
  std::string user;
  std::string group;
  std::string until;  // RFC 3339
  std::string note;
};

struct ListEntry {
  std::string text;  // an address, a prefix or a name
  std::string note;
};

struct ImportedList {
  std::string name;
  std::string action;  // "allow", "deny", "ignore", "none"
  std::string url;     // else the entries are the file lists/NAME.txt
  std::string refresh;
  uint32_t most = 0;  // 0: the default
  std::vector<ListEntry> entries;
};

struct ImportedLimit {
  std::string protocol = "tcp";
  std::vector<std::string> ports;
  uint32_t connections = 0;
  std::string rate;
};

struct ImportedKnock {
  std::string opens;
  std::string protocol = "tcp";
  std::vector<uint16_t> sequence;
  std::string within;
};

struct ImportedRedirect {
  std::string protocol = "tcp";
  std::string address;
  uint16_t port = 0;
  std::string to_address;
  uint16_t to_port = 0;
};

struct ImportedSmtp {
  std::vector<std::string> ports;
  std::vector<std::string> users;
  std::vector<std::string> groups;
};

struct ImportedPolicy {
  std::string origin;  // "CSF", for the comment at the top

  std::string policy = "drop";
  std::string out_policy = "accept";
  std::vector<std::string> tcp_in;
  std::vector<std::string> udp_in;
  std::vector<std::string> tcp_out;
  std::vector<std::string> udp_out;
  std::string ping;  // "": as often as it likes
  bool ping_out = true;
  bool log = false;
  std::string syn_flood_global;
  std::string udp_flood;
  bool drop_invalid = true;
  bool docker = false;
  std::vector<ImportedRule> rules;
  std::vector<ImportedLimit> limits;
  std::vector<ImportedList> lists;
  std::vector<ImportedKnock> knocks;
  std::vector<ImportedRedirect> redirects;
  std::optional<ImportedSmtp> smtp;

  // Other sections of palang.toml: "ban.widen" → {"after = 5", …}, in TOML.
  std::map<std::string, std::vector<std::string>> sections;
};

struct Import {
  ImportedPolicy policy;
  ImportReport report;
};

}  // namespace palang::foreign
