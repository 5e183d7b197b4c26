#pragma once

#include <cstdint>
#include <vector>

#include "ledger/database.hpp"
#include "model/store.hpp"

namespace palang {

struct Loaded {
  Snapshot snapshot;
  std::vector<uint64_t> expired;  // decisions that are still open in the ledger, but whose time was over at `now`
  uint64_t unreadable = 0;        // rows that make no sense; left out
};

// Reads the whole state; `past` holds what ended within the last `remember`. An empty file gives a
// fresh snapshot.
[[nodiscard]] DbResult<Loaded> load(Database& database, WallTime now, Duration remember,
                                    const EndInForce& end_in_force);

}  // namespace palang
