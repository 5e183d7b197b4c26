#include "host/log_sources.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/fd.hpp"

namespace palang {
namespace {

namespace fs = std::filesystem;

// As netfilter's LOG target writes them (net/netfilter/nf_log_syslog.c).
bool has_netfilter_line(std::string_view text) {
  for (size_t at = text.find(" SRC="); at != std::string_view::npos; at = text.find(" SRC=", at + 1)) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.find(" DST=") != std::string_view::npos && line.find(" PROTO=") != std::string_view::npos) return true;
  }
  return false;
}

std::string_view netfilter_note(bool seen) {
  return seen ? "has netfilter lines" : "has no netfilter lines yet";
}

// A readable descriptor of a regular file or a character device; nothing else is a log.
Result<Fd> open_log(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail_os("open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_os("read", path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) return fail(fmt::format("read {}: not a log", path));
  return file;
}

// Whether the records in the kernel's ring buffer hold a netfilter line; each read(2) gives one record.
Result<bool> ring_has_netfilter_line(const Fd& kmsg, const std::string& path) {
  constexpr int most_records = 200'000;
  std::array<char, 8192> record{};
  for (int i = 0; i < most_records; ++i) {
    const ssize_t got = ::read(kmsg.get(), record.data(), record.size());
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;  // EPIPE: records were overwritten meanwhile
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return fail_os("read", path, errno);
    if (got == 0) break;
    if (has_netfilter_line({record.data(), static_cast<size_t>(got)})) return true;
  }
  return false;
}

Result<LogSource> probe_kmsg(const HostRoot& root) {
  const std::string path = root.path("/dev/kmsg");
  const auto kmsg = open_log(path);
  if (!kmsg) return Failure(kmsg.error());
  const auto seen = ring_has_netfilter_line(*kmsg, path);
  if (!seen) return Failure(seen.error());
  return LogSource{LogSource::Kind::kmsg, path,
                   fmt::format("kernel log {}: readable, {}", path, netfilter_note(*seen))};
}

// Journal files lie in a directory named by the machine id.
bool has_journal_file(const std::string& directory) {
  std::error_code error;
  for (fs::directory_iterator machine(directory, error), end; !error && machine != end; machine.increment(error)) {
    std::error_code inner;
    for (fs::directory_iterator file(machine->path(), inner); !inner && file != end; file.increment(inner))
      if (file->path().extension() == ".journal") return true;
  }
  return false;
}

std::optional<LogSource> probe_journal(const HostRoot& root) {
  for (const std::string_view directory : {"/var/log/journal", "/run/log/journal"}) {
    const std::string path = root.path(directory);
    if (has_journal_file(path))
      return LogSource{LogSource::Kind::journald, path, fmt::format("journal {}: has journal files", path)};
  }
  return std::nullopt;
}

// `length` bytes of a file from `offset`, or fewer at its end.
Result<std::string> read_part(const Fd& file, const std::string& path, off_t offset, size_t length) {
  std::string text(length, '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), offset);
  if (got < 0) return fail_os("read", path, errno);
  text.resize(static_cast<size_t>(got));
  return text;
}

Result<LogSource> probe_file(const HostRoot& root, std::string_view name) {
  constexpr size_t tail_length = size_t{1} << 20;
  const std::string path = root.path(name);
  const auto file = open_log(path);
  if (!file) return Failure(file.error());
  struct stat status{};
  if (::fstat(file->get(), &status) != 0) return fail_os("read", path, errno);
  // Only the begin tells text from binary: a crash can leave NUL bytes further down in a true log.
  const auto head = read_part(*file, path, 0, 512);
  if (!head) return Failure(head.error());
  if (head->find('\0') != std::string::npos) return fail(fmt::format("read {}: not a text file", path));
  const off_t tail_at = std::max<off_t>(0, status.st_size - static_cast<off_t>(tail_length));
  const auto tail = read_part(*file, path, tail_at, tail_length);
  if (!tail) return Failure(tail.error());
  return LogSource{LogSource::Kind::file, path,
                   fmt::format("log file {}: readable, {}", path, netfilter_note(has_netfilter_line(*tail)))};
}

// The last whole line of a file, and the last MiB in which others may stand.
struct Tail {
  std::string path;
  std::string text;

  [[nodiscard]] std::string_view last_line() const {
    const std::string_view all = text;
    const size_t end = all.rfind('\n');
    if (end == std::string_view::npos || end == 0) return {};
    const size_t begin = all.rfind('\n', end - 1);
    return begin == std::string_view::npos ? std::string_view{} : all.substr(begin + 1, end - begin - 1);
  }
};

Result<Tail> read_tail(const std::string& path) {
  constexpr size_t tail_length = size_t{1} << 20;
  const auto file = open_log(path);
  if (!file) return Failure(file.error());
  struct stat status{};
  if (::fstat(file->get(), &status) != 0) return fail_os("read", path, errno);
  auto text = read_part(*file, path, std::max<off_t>(0, status.st_size - static_cast<off_t>(tail_length)), tail_length);
  if (!text) return Failure(text.error());
  return Tail{path, std::move(*text)};
}

}  // namespace

FoundLogSources find_log_sources(const HostRoot& root) {
  static constexpr std::array<std::string_view, 4> files{"/var/log/kern.log", "/var/log/messages", "/var/log/syslog",
                                                         "/var/log/firewall"};
  FoundLogSources found;
  auto kmsg = probe_kmsg(root);
  if (kmsg) {
    found.sources.push_back(std::move(*kmsg));
    return found;
  }
  found.passed_over.push_back("kernel log: " + kmsg.error().text);
  if (auto journal = probe_journal(root)) {
    found.sources.push_back(std::move(*journal));
    return found;
  }
  found.passed_over.emplace_back("journal: no journal files below /var/log/journal and /run/log/journal");
  for (const std::string_view file : files) {
    auto log = probe_file(root, file);
    if (log) {
      found.sources.push_back(std::move(*log));
      return found;
    }
    found.passed_over.push_back("log file: " + log.error().text);
  }
  return found;
}

FoundLogSources find_service_sources(const HostRoot& root) {
  // Those that hold everything come first.
  static constexpr std::array<std::string_view, 6> files{"/var/log/syslog", "/var/log/messages", "/var/log/auth.log",
                                                         "/var/log/secure", "/var/log/mail.log", "/var/log/maillog"};
  FoundLogSources found;
  if (auto journal = probe_journal(root)) {
    journal->why = fmt::format("journal {}: services", journal->path);
    found.sources.push_back(std::move(*journal));
    return found;
  }
  std::vector<Tail> taken;
  for (const std::string_view name : files) {
    auto tail = read_tail(root.path(name));
    if (!tail) continue;  // which of them a host has depends on its distribution
    const std::string_view last = tail->last_line();
    const auto holds_it = [&](const Tail& other) { return !last.empty() && other.text.contains(last); };
    const auto other = std::ranges::find_if(taken, holds_it);
    if (other != taken.end()) {
      found.passed_over.push_back(fmt::format("log file {}: its lines are in {}, too", tail->path, other->path));
      continue;
    }
    found.sources.push_back(
        {LogSource::Kind::file, tail->path, fmt::format("log file {}: readable, services", tail->path)});
    taken.push_back(std::move(*tail));
  }
  return found;
}

}  // namespace palang
