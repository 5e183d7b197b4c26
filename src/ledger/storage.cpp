#include "ledger/storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "ledger/schema.hpp"

namespace palang {

namespace {

// Larger files are not checked when opened; their damage shows when it is met.
constexpr int64_t quick_check_bytes = 8 << 20;

DbFailure os_failure(std::string_view operation, std::string_view subject, int os_error) {
  return DbFailure(DbError{DbError::Kind::passing, fail_os(operation, subject, os_error).error().text, os_error});
}

DbResult<void> make_directory(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty() || ::mkdir(directory.c_str(), 0750) == 0 || errno == EEXIST) return {};
  struct stat status{};
  const int cause = errno;
  if (::stat(directory.c_str(), &status) == 0) return {};  // EROFS may come before EEXIST
  return os_failure("make directory", directory, cause);
}

std::string holder_of(int fd) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(fd, text.data(), text.size(), 0);
  const std::string_view pid(text.data(), length > 0 ? static_cast<size_t>(length) : 0);
  const size_t end = pid.find_first_not_of("0123456789");
  return end == 0 || pid.empty() ? "unknown" : std::string(pid.substr(0, end));
}

DbResult<void> make_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd && errno != EEXIST) return os_failure("create", path, errno);
  return {};
}

DbResult<void> check_if_small(Database& database) {
  const auto bytes = database.number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > quick_check_bytes) return {};
  auto check = database.prepare("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  const auto row = check->step();
  if (!row) return std::unexpected(row.error());
  std::string finding(*row ? check->text(0) : "ok");
  if (finding == "ok") return {};
  finding.erase(0, finding.rfind('\n') + 1);  // a heading comes first
  return DbFailure(
      DbError{DbError::Kind::corrupt, fmt::format("read {}: it is damaged ({})", database.path(), finding)});
}

}  // namespace

DbResult<LedgerLock> LedgerLock::acquire(const std::string& path) {
  if (auto made = make_directory(path); !made) return std::unexpected(made.error());
  const std::string name = path + ".lock";
  Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return os_failure("open", name, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return os_failure("lock", name, errno);
    return DbFailure(DbError{DbError::Kind::refused,
                             fmt::format("another palang (pid {}) uses the ledger {}", holder_of(fd.get()), path)});
  }
  // Only for the sentence above: a full disk must not keep the lock from working.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) == 0) (void)!::pwrite(fd.get(), pid.data(), pid.size(), 0);
  return LedgerLock(std::move(fd));
}

FileIdentity identify(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

DbResult<LedgerFile> open_for_writing(const std::string& path, WallTime now) {
  if (auto made = make_file(path); !made) return std::unexpected(made.error());
  auto database = Database::open(path, Database::Mode::write);
  if (!database) return std::unexpected(database.error());
  database->fold_log_on_close(false);  // of a damaged file nothing must be touched
  // Before anything is written: the file may be somebody else's.
  if (const auto version = schema_version_of(*database); !version) return std::unexpected(version.error());
  if (const auto done = configure_writer(*database); !done) return std::unexpected(done.error());
  const auto created = migrate(*database, now);
  if (!created) return std::unexpected(created.error());
  if (const auto sound = check_if_small(*database); !sound) return std::unexpected(sound.error());
  database->fold_log_on_close(true);
  return LedgerFile{std::move(*database), identify(path), *created};
}

DbResult<std::string> set_aside(const std::string& path, WallTime now) {
  std::string stamp;
  for (const char c : format_utc(now))
    if (c != ':' && c != '-') stamp += c;
  const std::string base = path + ".corrupt-" + stamp;
  std::string name = base;
  for (int copy = 2; identify(name) != FileIdentity{}; ++copy) name = fmt::format("{}.{}", base, copy);
  // The log first: a crash in between must not leave it to be taken for the log of a new file.
  for (const std::string_view part : {"-wal", "-shm", ""}) {
    const std::string from = path + std::string(part);
    if (std::rename(from.c_str(), (name + std::string(part)).c_str()) != 0 && errno != ENOENT)
      return os_failure("set aside", from, errno);
  }
  return name;
}

}  // namespace palang
