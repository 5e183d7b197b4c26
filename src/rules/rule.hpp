#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/log_line.hpp"
#include "model/rule_settings.hpp"

namespace palang {

struct StatusRange {
  uint16_t first = 0;
  uint16_t last = 0;
};

struct IdRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// Conditions on the fields of a request: each list that is not empty must have a value that fits. Texts are patterns,
// searched anywhere in the field.
struct WhereSettings {
  std::vector<StatusRange> status;
  std::vector<std::string> method;  // equal
  std::vector<std::string> path;    // the target without its query, decoded (see request_path.hpp)
  std::vector<std::string> query;   // behind the "?", as logged
  std::vector<std::string> agent;
  std::vector<std::string> referer;
  std::vector<std::string> host;
  std::vector<std::string> user;
  std::vector<std::string> line;  // the request line where it is no HTTP
  std::vector<uint8_t> severity;  // of a WAF's hit
  std::vector<IdRange> rule_id;   // of a WAF's rules, any of them
  std::optional<bool> blocked;    // whether the WAF refused the request
};

// A line and what the rule is to make of it; tests and `palang rules test` run them.
struct RuleExample {
  uint32_t at_line = 0;  // of the rule file
  std::string line;
  std::string file;  // where the line was read; "" for a line with a syslog header
  bool match = true;
  std::string addr;
  std::optional<std::string> user;
  std::optional<std::string> path;
  // Pieces of the line that a stranger writes; words: where the service allows no spaces. Tests put hostile texts
  // there.
  bool says_attacker = false;  // it has one of the two keys, if only to say that there are none
  std::vector<std::string> attacker;
  std::vector<std::string> attacker_words;
};

// A rule as its file says it, complete and sound by itself.
struct RuleDefinition {
  std::string source;    // the file, "/usr/share/palang/rules/sshd.toml"
  uint32_t at_line = 0;  // where it begins
  std::string about;
  std::vector<std::string> programs;
  std::vector<std::string> units;
  std::vector<std::string> transports;
  std::vector<uint32_t> uids;
  std::vector<std::string> files;
  LineFormat format = LineFormat::syslog;
  std::vector<std::string> patterns;  // with tags
  std::vector<std::string> ignore;
  WhereSettings where;
  RuleSettings settings;
  bool enabled = true;
  std::vector<RuleExample> examples;
};

}  // namespace palang
