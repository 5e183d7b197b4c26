#pragma once

#include <array>
#include <optional>

#include "base/time.hpp"
#include "model/log_line.hpp"
#include "model/source.hpp"
#include "parse/timestamp.hpp"

namespace palang {

// Reads the headers that log lines begin with:
//   2025-01-12T00:30:41.931343+07:00 web1 kernel: …        RFC 3339 (rsyslog, journalctl -o short-iso)
//   Jan 12 00:49:59 web1 kernel: …                         BSD (RFC 3164)
//   <4>1 2025-01-12T00:30:41Z web1 kernel - - - …          RFC 5424, the <PRI> may be missing
//   4,1234,5678901,-;…                                     /dev/kmsg record
//   [ 5678.901234] …                                       dmesg
// A "[ 5678.901234]" that rsyslog leaves before the kernel's message is skipped.
class LogLineReader {
 public:
  // `booted`: when the machine started, for the two forms that count from then.
  explicit LogLineReader(WallTime booted) : booted_(booted) {}

  // Nothing if the line has no such header. Allocates nothing.
  [[nodiscard]] std::optional<LogLine> read(const RawLine& raw);

 private:
  [[nodiscard]] std::optional<LogLine> read_like_before(std::string_view text);
  [[nodiscard]] std::optional<LogLine> read_traditional(std::string_view text, WallTime newest);
  [[nodiscard]] std::optional<LogLine> read_rfc5424(std::string_view text);
  [[nodiscard]] std::optional<LogLine> read_kmsg(std::string_view text) const;
  [[nodiscard]] std::optional<LogLine> read_dmesg(std::string_view text) const;

  // What stood between the timestamp and the message of the last kernel line, " web1 kernel: ": thousands share it.
  void remember_kernel_tag(std::string_view tag);
  [[nodiscard]] bool is_kernel_tag(std::string_view text) const {
    return text.starts_with(std::string_view(kernel_tag_.data(), kernel_tag_length_)) && kernel_tag_length_ > 0;
  }

  WallTime booted_;
  TimestampReader timestamps_;
  WallTime newest_beside_dated_ = WallTime::max();  // where a log has both, its dated lines bound the yearless ones
  std::array<char, 80> kernel_tag_{};
  size_t kernel_tag_length_ = 0;
};

}  // namespace palang
