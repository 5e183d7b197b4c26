#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ledger/statement.hpp"

namespace palang {

// One connection to one SQLite file; used by one thread at a time.
class Database {
 public:
  enum class Mode : unsigned char {
    write,     // the file must exist: whoever makes it decides its rights
    read,      // beside a writer
    read_only  // where nothing can be written, not even the locks and the shared memory of a reader: a read-only or
               // full file system. Only while no other connection is open.
  };
  [[nodiscard]] static DbResult<Database> open(const std::string& path, Mode mode);

  // One or more statements without result rows.
  [[nodiscard]] DbResult<void> execute(const char* sql);
  [[nodiscard]] DbResult<Statement> prepare(std::string_view sql);
  // The number in the only row of `sql`.
  [[nodiscard]] DbResult<int64_t> number(std::string_view sql);

  // Rows that the last statement changed.
  [[nodiscard]] int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  [[nodiscard]] int64_t last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  // Whether closing folds the write-ahead log into the file, as the last connection does, or leaves both as they are.
  void fold_log_on_close(bool fold);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  Database(std::string path, sqlite3* connection) : path_(std::move(path)), handle_(connection) {}

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// A write transaction from begin() on; rolled back unless committed. The Database must outlive it, unmoved.
class Transaction {
 public:
  [[nodiscard]] static DbResult<Transaction> begin(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  [[nodiscard]] DbResult<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;  // not owned; none: over
};

}  // namespace palang
