#include "firewall/list_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace palang {
namespace {

constexpr size_t most_list_bytes = size_t{64} << 20;

bool looks_like_a_host(std::string_view word) {
  const bool plain = word.size() <= 253 && word.find('.') != std::string_view::npos && word.front() != '.' &&
                     word.front() != '-' && std::ranges::all_of(word, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                              c == '.' || c == '_';
                     });
  return plain && std::ranges::any_of(word.substr(word.rfind('.') + 1), [](char c) { return c < '0' || c > '9'; });
}

}  // namespace

Result<ListContent> parse_list(std::string_view text, std::string_view file_name, uint32_t most) {
  ListContent content;
  uint32_t number = 0;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    ++number;
    const std::string_view line = trim(whole.substr(0, whole.find_first_of("#;")));
    if (line.empty()) continue;
    const std::string_view word = line.substr(0, line.find_first_of(" \t,"));
    if (content.prefixes.size() + content.hosts.size() >= most)
      return fail(fmt::format("{}:{}: the list has more than {} entries", file_name, number, most));
    if (looks_like_a_host(word)) {
      content.hosts.emplace_back(word);
      continue;
    }
    const auto prefix = Prefix::parse(word);
    if (!prefix) return fail(fmt::format("{}:{}: {}", file_name, number, escape_controls(prefix.error().text)));
    content.prefixes.push_back(*prefix);
  }
  return content;
}

Result<std::string> read_small_file(const std::string& path, size_t most_bytes) {
  // Non-blocking: a FIFO in the place of the file must not hang us.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_os("open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_os("read", path, errno);
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("read {}: not a regular file", path));
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= most_bytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return fail(fmt::format("read {}: larger than {} bytes", path, most_bytes));
}

Result<ListContent> read_list(const FirewallList& list, const std::string& directory) {
  const std::string path = list.file.empty() ? fmt::format("{}/{}.txt", directory, list.name) : list.file;
  const auto text = read_small_file(path, most_list_bytes);
  if (!text && list.file.empty() && text.error().os == ENOENT) return ListContent{};
  if (!text) return Failure(text.error());
  return parse_list(*text, path, list.most);
}

}  // namespace palang
