#include "host/boot_time.hpp"

#include <charconv>

#include "host/root.hpp"

namespace palang {

WallTime boot_time() {
  constexpr size_t most_bytes = 1 << 20;
  const auto stat = HostRoot{}.read("/proc/stat", most_bytes);
  constexpr std::string_view key = "\nbtime ";
  const size_t at = stat ? stat->find(key) : std::string::npos;
  if (at == std::string::npos) return {};
  int64_t seconds = 0;
  const char* begin = stat->data() + at + key.size();
  if (std::from_chars(begin, stat->data() + stat->size(), seconds).ec != std::errc{}) return {};
  return WallTime{std::chrono::seconds{seconds}};
}

}  // namespace palang
