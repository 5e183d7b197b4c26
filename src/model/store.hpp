#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/decision.hpp"
#include "model/enforcer.hpp"
#include "model/source.hpp"

namespace palang {

// A judged event of an address that was not banned at the time.
struct Evidence {
  WallTime at;
  Address source;
  Rule rule = Rule::blocked;
  std::string line;  // as it was logged, cut to 512 bytes
};

// What a detector counts of an address (or a network) that is not banned yet, so that a restart doesn't forget it.
struct Pending {
  Rule rule = Rule::blocked;
  Prefix subject;
  std::vector<WallTime> times;   // oldest first
  std::vector<uint64_t> values;  // of each time, less than 2^63: its port, its number of attempts, the hash of its
                                 // account or path, the fill of its bucket; empty: the rule needs none
};

struct AllowEntry {
  Prefix prefix;
  WallTime since;
  WallTime until = WallTime::max();
  std::string note;
};

// Everything that came out of one portion of work: becomes durable as a whole or not at all (promise 4).
struct LedgerBatch {
  std::vector<Change> changes;
  std::vector<Evidence> evidence;
  std::vector<Pending> pending;  // replaces the row of its rule and subject; empty times: forget it
  std::vector<Position> positions;
  std::vector<AllowEntry> allowed;
  std::vector<Prefix> disallowed;
};

// Earlier decisions of one subject, for doubling and widening.
struct PastDecision {
  Prefix prefix;
  WallTime from;
  WallTime until;  // when it really ended
  Rule rule = Rule::blocked;
  uint8_t repeat = 0;   // as in the Decision: those that were remembered then count on
  bool lifted = false;  // by an admin, who so forgave what was logged before
};

// When a decision ends by what is in force: XDP moves ends by itself, also while no daemon runs. Empty: as is written.
using EndInForce = std::function<WallTime(const Decision&)>;

// What a restart begins with.
struct Snapshot {
  std::vector<Decision> active;
  std::vector<PastDecision> past;  // all that ended within the last `remember`; oldest first
  std::vector<Pending> pending;
  std::vector<Position> positions;
  std::vector<AllowEntry> allowed;
  uint64_t last_id = 0;
  bool fresh = false;  // the ledger was created just now: what the kernel still holds is news to it
};

}  // namespace palang
