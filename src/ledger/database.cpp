#include "ledger/database.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace palang {

namespace {

// How long to wait for somebody else's lock; after that the worker's own retries. Readers are on the loop thread.
constexpr int writer_patience_ms = 200;
constexpr int reader_patience_ms = 20;

// A path as the path part of an SQLite URI (https://www.sqlite.org/uri.html).
std::string uri_of(std::string_view path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#')
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return uri;
}

// Without a log to replay the file can be taken as unchanging. With one, SQLite must read it: exclusive and lockless,
// it keeps the index of the log in its own memory and writes nothing.
std::string read_only_uri(const std::string& path) {
  struct stat status{};
  const bool has_log = ::stat((path + "-wal").c_str(), &status) == 0 && status.st_size > 0;
  return uri_of(path) + (has_log ? "?mode=ro&vfs=unix-none" : "?mode=ro&immutable=1");
}

}  // namespace

DbResult<Database> Database::open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (mode == Mode::read_only) flags |= SQLITE_OPEN_URI;
  const std::string name = mode == Mode::read_only ? read_only_uri(path) : path;

  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &connection, flags, nullptr);
  Database database(path, connection);
  if (code != SQLITE_OK) return db_failure(connection, "open", path);
  sqlite3_busy_timeout(connection, mode == Mode::write ? writer_patience_ms : reader_patience_ms);
  if (mode == Mode::read_only) {
    const auto exclusive = database.execute("PRAGMA locking_mode = EXCLUSIVE");
    if (!exclusive) return std::unexpected(exclusive.error());
  }
  return database;
}

DbResult<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return db_failure(handle_.get(), "write to", path_);
  return {};
}

DbResult<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK)
    return db_failure(handle_.get(), "read", path_);
  return Statement(statement);
}

DbResult<int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  return statement->number(0);
}

void Database::fold_log_on_close(bool fold) {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, fold ? 0 : 1, nullptr);
}

DbResult<Transaction> Transaction::begin(Database& database) {
  const auto begun = database.execute("BEGIN IMMEDIATE");
  if (!begun) return std::unexpected(begun.error());
  return Transaction(database);
}

DbResult<void> Transaction::commit() {
  auto committed = database_->execute("COMMIT");
  if (committed) database_ = nullptr;
  return committed;
}

// SQLite rolls back by itself after some failures (a full disk); then there is nothing left to do.
Transaction::~Transaction() {
  if (database_ != nullptr && database_->in_transaction()) (void)database_->execute("ROLLBACK");
}

}  // namespace palang
