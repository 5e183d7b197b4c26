#pragma once

#include "app/enforcement.hpp"
#include "config/config.hpp"
#include "ledger/ledger.hpp"

namespace palang {

// Opens the ledger of the configuration. Where XDP has moved the end of a ban while no daemon ran, that end is in
// force, and the ledger is told.
[[nodiscard]] Result<OpenedLedger> open_ledger_of(const Config& config, Enforcement& enforcement, WallTime now);

}  // namespace palang
