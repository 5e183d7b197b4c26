#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace palang {

// A failure of SQLite as a sentence, and what can be done about it.
struct DbError {
  enum class Kind : unsigned char {
    passing,  // full, locked, read-only, I/O: worth another try
    corrupt,  // the file is damaged or no database (SQLITE_CORRUPT, SQLITE_NOTADB)
    refused,  // not ours to write: a newer schema, another program's file, another palang at work
  };
  Kind kind = Kind::passing;
  std::string text;
  int os = 0;  // errno where the cause was the operating system, else 0

  [[nodiscard]] Error error() const { return {text, ErrorKind::fault, os}; }
};

template <typename T>
using DbResult = std::expected<T, DbError>;
using DbFailure = std::unexpected<DbError>;

// The connection's last failure: "write to /var/lib/palang/palang.db: database or disk is full (SQLITE_FULL)".
[[nodiscard]] DbFailure db_failure(sqlite3* connection, std::string_view operation, std::string_view path);

// A prepared statement, kept for its life. Parameters are bound in order; text is not copied: it must outlive run(),
// or the last step().
class Statement {
 public:
  explicit Statement(sqlite3_stmt* prepared) : handle_(prepared) {}

  template <typename... Values>
  void bind(const Values&... values) {
    int index = 0;  // NOLINT(misc-const-correctness): without values nothing counts it up
    (bind_at(++index, values), ...);
  }

  // True: a row is there to read. False: the end; the statement is reset then, as after a failure.
  [[nodiscard]] DbResult<bool> step();

  // Binds, and steps to the end.
  template <typename... Values>
  [[nodiscard]] DbResult<void> run(const Values&... values) {
    bind(values...);
    return finish();
  }

  // Binds, and reads the first column of the only row; `otherwise` where there is none or it is null.
  template <typename... Values>
  [[nodiscard]] DbResult<int64_t> number(int64_t otherwise, const Values&... values) {
    bind(values...);
    return only_number(otherwise);
  }

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] WallTime time(int column) const { return WallTime{Duration{integer(column)}}; }
  // Valid until the next step().
  [[nodiscard]] std::string_view text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  void bind_at(int index, int64_t value);
  void bind_at(int index, uint64_t value) { bind_at(index, static_cast<int64_t>(value)); }
  void bind_at(int index, int value) { bind_at(index, int64_t{value}); }
  void bind_at(int index, unsigned value) { bind_at(index, int64_t{value}); }
  void bind_at(int index, WallTime value) { bind_at(index, int64_t{value.time_since_epoch().count()}); }
  void bind_at(int index, std::string_view value);
  void bind_at(int index, std::nullptr_t);
  template <typename T>
  void bind_at(int index, const std::optional<T>& value) {
    value ? bind_at(index, *value) : bind_at(index, nullptr);
  }

  [[nodiscard]] DbResult<void> finish();
  [[nodiscard]] DbResult<int64_t> only_number(int64_t otherwise);
  [[nodiscard]] DbFailure failure();

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  bool bound_ = true;  // false: a value could not be bound (too long, no memory)
};

}  // namespace palang
