#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ledger/database.hpp"
#include "ledger/limits.hpp"
#include "model/store.hpp"

namespace palang {

// The whole state, from memory: replaces what the ledger holds as active.
struct Resync {
  WallTime at;
  std::vector<Decision> active;
  std::vector<Pending> pending;
  std::vector<Position> positions;
  std::vector<AllowEntry> allowed;
};

// Rows that made way: too old, or over a cap.
struct PrunedRows {
  uint64_t evidence = 0;
  uint64_t decisions = 0;
};

// Writes into the ledger, with statements prepared once. The caller holds the transaction.
// Everything may come twice: a decision is known by its id, and a prefix has one active decision at most, the last.
class Writer {
 public:
  // The Database must outlive it, unmoved.
  [[nodiscard]] static DbResult<Writer> prepare(Database& database, const LedgerLimits& limits);

  [[nodiscard]] DbResult<void> apply(const LedgerBatch& batch);
  [[nodiscard]] DbResult<void> replace(const Resync& whole);
  // A write that changes nothing of meaning: can it be done?
  [[nodiscard]] DbResult<void> probe();

  // Marks these as over at `at`, or at their end if that came first.
  [[nodiscard]] DbResult<void> end_active(std::span<const uint64_t> ids, WallTime at);
  // Deletes one portion of what is too old; takes a few milliseconds at most. True: there is more.
  [[nodiscard]] DbResult<bool> tidy(WallTime now);

  // What was pruned since this was last asked.
  [[nodiscard]] PrunedRows take_pruned() { return std::exchange(pruned_, {}); }

 private:
  enum Sql : uint8_t;
  Writer(Database& database, const LedgerLimits& limits) : database_(&database), limits_(limits) {}

  [[nodiscard]] Statement& sql(Sql which) { return statements_[which]; }

  [[nodiscard]] DbResult<void> put(const Change& change);
  [[nodiscard]] DbResult<void> put(const Evidence& evidence);
  [[nodiscard]] DbResult<void> put(const Pending& pending);
  [[nodiscard]] DbResult<void> put(const Position& position);
  [[nodiscard]] DbResult<void> put(const AllowEntry& entry);
  [[nodiscard]] DbResult<void> put(const Prefix& disallowed);
  template <typename Row>
  [[nodiscard]] DbResult<void> put_all(const std::vector<Row>& rows);

  [[nodiscard]] DbResult<void> end_all_but(const std::vector<Decision>& active, WallTime at);
  [[nodiscard]] DbResult<void> keep_evidence_cap(uint64_t inserted);
  [[nodiscard]] DbResult<void> keep_history_cap(uint64_t newly_ended);
  [[nodiscard]] DbResult<uint64_t> delete_rows(Sql which, WallTime older_than, uint64_t portion);
  [[nodiscard]] DbResult<void> note_evidence_ids();

  Database* database_;  // not owned
  LedgerLimits limits_;
  std::vector<Statement> statements_;
  int64_t oldest_evidence_ = 0;  // ids; what lies between is taken as present
  int64_t newest_evidence_ = 0;
  uint64_t ended_rows_ = 0;  // at least as many as there are: rolled back ones are counted too
  PrunedRows pruned_;
};

}  // namespace palang
