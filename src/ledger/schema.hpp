#pragma once

#include "base/time.hpp"
#include "ledger/database.hpp"

namespace palang {

// PRAGMA user_version of a ledger that this palang writes.
inline constexpr int64_t ledger_schema_version = 1;

// Settings of a connection: they are not part of the file.
[[nodiscard]] DbResult<void> configure_writer(Database& database);
[[nodiscard]] DbResult<void> configure_reader(Database& database);

// 0: an empty file. Refused: a newer palang's ledger, another program's database.
[[nodiscard]] DbResult<int64_t> schema_version_of(Database& database);

// Brings the file to ledger_schema_version, one transaction per step. True: it was empty.
[[nodiscard]] DbResult<bool> migrate(Database& database, WallTime now);

}  // namespace palang
