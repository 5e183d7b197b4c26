#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "model/event.hpp"
#include "model/rule.hpp"

namespace palang {

// A detector's claim: this address, or a whole network, broke this rule.
struct Finding {
  WallTime at;
  Address offender;
  uint8_t bits = 128;  // fewer: the offender is its network of so many bits, as Prefix counts them
  Rule rule = Rule::blocked;
  Proof proof = Proof::forgeable;
  Protocol protocol = Protocol::other;
  uint16_t port = 0;   // the last one tried
  uint32_t count = 1;  // events, or distinct ports, within the rule's window
};

}  // namespace palang
