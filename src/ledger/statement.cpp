#include "ledger/statement.hpp"

#include <fmt/format.h>

namespace palang {

namespace {

struct CodeName {
  int code;
  std::string_view name;
};

// https://www.sqlite.org/rescode.html: all primary codes, and the extended ones that tell an admin more.
constexpr CodeName code_names[] = {
    {SQLITE_ERROR, "SQLITE_ERROR"},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
    {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},
    {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},
    {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_NOTFOUND, "SQLITE_NOTFOUND"},
    {SQLITE_FULL, "SQLITE_FULL"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
    {SQLITE_MISUSE, "SQLITE_MISUSE"},
    {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_RANGE, "SQLITE_RANGE"},
    {SQLITE_NOTADB, "SQLITE_NOTADB"},
    {SQLITE_IOERR_READ, "SQLITE_IOERR_READ"},
    {SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ"},
    {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"},
    {SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"},
    {SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE"},
    {SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN"},
    {SQLITE_IOERR_SHMSIZE, "SQLITE_IOERR_SHMSIZE"},
    {SQLITE_IOERR_SHMMAP, "SQLITE_IOERR_SHMMAP"},
    {SQLITE_READONLY_CANTINIT, "SQLITE_READONLY_CANTINIT"},
    {SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"},
    {SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"},
    {SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT"},
};

std::string code_name(int extended) {
  std::string_view primary;
  for (const CodeName& known : code_names) {
    if (known.code == extended) return std::string(known.name);
    if (known.code == (extended & 0xff)) primary = known.name;
  }
  return primary.empty() ? fmt::format("SQLite code {}", extended) : std::string(primary);
}

bool is_damage(int extended) {
  const int primary = extended & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool has_system_cause(int extended) {
  const int primary = extended & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
}

}  // namespace

DbFailure db_failure(sqlite3* connection, std::string_view operation, std::string_view path) {
  const int code = connection == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(connection);
  const char* cause = connection == nullptr ? "out of memory" : sqlite3_errmsg(connection);
  const int os = connection != nullptr && has_system_cause(code) ? sqlite3_system_errno(connection) : 0;
  std::string text = fmt::format("{} {}: {} ({})", operation, path, cause, code_name(code));
  if (os != 0) text += ": " + describe_errno(os);
  return DbFailure(DbError{is_damage(code) ? DbError::Kind::corrupt : DbError::Kind::passing, std::move(text), os});
}

DbFailure Statement::failure() {
  sqlite3* const connection = sqlite3_db_handle(handle_.get());
  const char* const path = sqlite3_db_filename(connection, "main");
  const char* const operation = sqlite3_stmt_readonly(handle_.get()) != 0 ? "read" : "write to";
  DbFailure failed = db_failure(connection, operation, path == nullptr ? "the ledger" : path);
  sqlite3_reset(handle_.get());
  bound_ = true;
  return failed;
}

DbResult<bool> Statement::step() {
  if (!bound_) return failure();
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return failure();
  sqlite3_reset(handle_.get());
  return false;
}

DbResult<void> Statement::finish() {
  for (;;) {
    const auto row = step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
  }
}

DbResult<int64_t> Statement::only_number(int64_t otherwise) {
  const auto row = step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return otherwise;
  const int64_t value = is_null(0) ? otherwise : integer(0);
  sqlite3_reset(handle_.get());
  return value;
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

// As a blob: the bytes where they lie. Asking for text would make SQLite copy them to append a zero byte.
std::string_view Statement::text(int column) const {
  const void* const bytes = sqlite3_column_blob(handle_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

void Statement::bind_at(int index, int64_t value) {
  bound_ = sqlite3_bind_int64(handle_.get(), index, value) == SQLITE_OK && bound_;
}

void Statement::bind_at(int index, std::string_view value) {
  bound_ = sqlite3_bind_text64(handle_.get(), index, value.data() == nullptr ? "" : value.data(), value.size(),
                               SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK &&
           bound_;
}

void Statement::bind_at(int index, std::nullptr_t) {
  bound_ = sqlite3_bind_null(handle_.get(), index) == SQLITE_OK && bound_;
}

}  // namespace palang
