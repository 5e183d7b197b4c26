#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace palang {

// One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg):
//   "6,1234,5678901,-[,more…];text\n KEY=value\n…"
struct KmsgRecord {
  uint32_t facility = 0;  // 0: the kernel; what a process writes to /dev/kmsg can't have 0
  uint32_t level = 0;     // as in syslog(3)
  uint64_t sequence = 0;
  Duration since_boot{0};
  std::string_view text;  // bytes other than printable ASCII, and '\', stay \xNN as the kernel escaped them
};

// None: not such a record.
[[nodiscard]] inline std::optional<KmsgRecord> parse_kmsg_record(std::string_view bytes) {
  const auto take_number = [&bytes]<typename Number>(Number& number) {
    const auto [end, status] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
    if (status != std::errc{} || end == bytes.data() + bytes.size() || *end != ',') return false;
    bytes.remove_prefix(static_cast<size_t>(end - bytes.data()) + 1);
    return true;
  };
  KmsgRecord record;
  uint32_t priority = 0;
  uint64_t microseconds = 0;
  if (!take_number(priority) || !take_number(record.sequence) || !take_number(microseconds)) return std::nullopt;
  constexpr uint64_t longest_uptime = uint64_t{1} << 56;  // 2,283 years, so that sums with it can't overflow
  if (microseconds > longest_uptime) return std::nullopt;
  const size_t text = bytes.find(';');
  if (text == std::string_view::npos || bytes.substr(0, text).find('\n') != std::string_view::npos) return std::nullopt;
  bytes.remove_prefix(text + 1);
  record.facility = priority >> 3;
  record.level = priority & 7;
  record.since_boot = Duration{static_cast<int64_t>(microseconds)};
  record.text = bytes.substr(0, bytes.find('\n'));
  return record;
}

}  // namespace palang
