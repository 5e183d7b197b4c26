#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.hpp"
#include "base/time.hpp"
#include "ledger/database.hpp"

namespace palang {

// Held while a daemon uses the ledger at `path`: flock(2) on `path`.lock, which holds its pid.
class LedgerLock {
 public:
  // Makes the directory (0750) if it is missing. Refused: "another palang (pid 4711) uses the ledger ...".
  [[nodiscard]] static DbResult<LedgerLock> acquire(const std::string& path);

 private:
  explicit LedgerLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Which file a path led to.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
// All zero: there is none.
[[nodiscard]] FileIdentity identify(const std::string& path);

struct LedgerFile {
  Database database;
  FileIdentity identity;
  bool created = false;  // it was empty: a schema was made just now
};

// The ledger for writing, created (0640) or migrated as needed. Only for the holder of the LedgerLock.
[[nodiscard]] DbResult<LedgerFile> open_for_writing(const std::string& path, WallTime now);

// Renames the file, and its -wal and -shm, to `path`.corrupt-<UTC time>; returns that name. No connection of this
// process may be open for writing.
[[nodiscard]] DbResult<std::string> set_aside(const std::string& path, WallTime now);

}  // namespace palang
