#include "host/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "base/text.hpp"

namespace palang {
namespace {

namespace fs = std::filesystem;

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<pid_t> list_processes(const HostRoot& root) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator entry(root.path("/proc"), error), end; !error && entry != end; entry.increment(error))
    if (const auto pid = number_of<pid_t>(entry->path().filename().native()); pid && *pid > 0) pids.push_back(*pid);
  return pids;
}

std::optional<Process> parse_status(std::string_view text) {
  Process process;
  int found = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == "Name") {
      process.name = value;
      ++found;
    } else if (name == "PPid") {
      const auto parent = number_of<pid_t>(value);
      if (!parent) return std::nullopt;
      process.parent = *parent;
      ++found;
    } else if (name == "Uid") {  // real, effective, saved, file system
      const std::string_view behind_real = trim(value.substr(std::min(value.find('\t'), value.size())));
      const auto user = number_of<uid_t>(behind_real.substr(0, behind_real.find('\t')));
      if (!user) return std::nullopt;
      process.user = *user;
      ++found;
    }
  }
  if (found != 3) return std::nullopt;
  return process;
}

std::optional<Process> read_process(const HostRoot& root, pid_t pid) {
  const auto text = root.read(fmt::format("/proc/{}/status", pid), 4096);
  if (!text) return std::nullopt;
  return parse_status(*text);
}

std::string process_title(const HostRoot& root, pid_t pid) {
  const auto text = root.read(fmt::format("/proc/{}/cmdline", pid), 4096);
  return text ? text->substr(0, text->find('\0')) : std::string();
}

std::optional<uint64_t> socket_inode(std::string_view link) {
  static constexpr std::string_view begin = "socket:[";
  if (!link.starts_with(begin) || !link.ends_with(']')) return std::nullopt;
  return number_of<uint64_t>(link.substr(begin.size(), link.size() - begin.size() - 1));
}

std::vector<uint64_t> process_sockets(const HostRoot& root, pid_t pid) {
  std::vector<uint64_t> inodes;
  std::error_code error;
  fs::directory_iterator entry(root.path(fmt::format("/proc/{}/fd", pid)), error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    const fs::path link = fs::read_symlink(entry->path(), unreadable);
    if (unreadable) continue;
    if (const auto inode = socket_inode(link.native())) inodes.push_back(*inode);
  }
  return inodes;
}

}  // namespace palang
