#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "model/event.hpp"

namespace palang {

// The rule a decision rests on.
enum class Rule : uint8_t {
  blocked,    // a firewall refused its packets
  portscan,   // it tried many distinct ports
  manual,     // an admin said so
  recovered,  // found in the kernel after the ledger was lost
};

[[nodiscard]] std::string_view rule_name(Rule rule);
// Rule::recovered for a name of no rule (a ledger written by a newer palang).
[[nodiscard]] Rule rule_named(std::string_view name);

// A detector's claim: this address broke this rule.
struct Finding {
  WallTime at;
  Address offender;
  Rule rule = Rule::blocked;
  Proof proof = Proof::forgeable;
  Protocol protocol = Protocol::other;
  uint16_t port = 0;   // the last one tried
  uint32_t count = 1;  // events, or distinct ports, within the rule's window
};

}  // namespace palang
