#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace palang {

// What an event breaks and a decision rests on: the id of an interned name. These five are always there; the names of
// pattern rules and of imported jails get the next free ids of this process, so only names are ever stored.
enum class Rule : uint16_t {
  blocked,    // a firewall refused its packets
  portscan,   // it tried many distinct ports
  tripwire,   // XDP saw packets to ports on which nobody listens
  manual,     // an admin said so
  recovered,  // found in the kernel after the ledger was lost
};

// Names come from configuration and from the ledger, never from those who are judged; bounded all the same.
inline constexpr size_t most_rules = 4096;
inline constexpr size_t longest_rule_name = 64;

// Valid until the process ends.
[[nodiscard]] std::string_view rule_name(Rule rule);
// The rule of this name, which becomes known thereby. Rule::recovered for a name that is empty or too long, or when
// there are too many. Any thread may ask.
[[nodiscard]] Rule rule_named(std::string_view name);
// Only a rule that is known already.
[[nodiscard]] std::optional<Rule> known_rule(std::string_view name);
[[nodiscard]] std::vector<Rule> known_rules();

}  // namespace palang
