#include "host/root.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"

namespace palang {

Result<std::string> HostRoot::read(std::string_view absolute, size_t limit) const {
  const std::string name = path(absolute);
  const Fd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail_os("open", name, errno);
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() < limit) {
    const ssize_t got = ::read(file.get(), buffer.data(), std::min(buffer.size(), limit - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", name, errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

}  // namespace palang
