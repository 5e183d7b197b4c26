#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "parse/short_word.hpp"
#include "parse/time_parts.hpp"

namespace palang {

// Reads the timestamps of log lines. Remembers the minute and the offset it read last, since thousands of lines share
// them; apart from that memory the same input gives the same answer.
class TimestampReader {
 public:
  struct Stamp {
    WallTime at;
    size_t length = 0;  // characters read
  };

  // RFC 3339 / ISO 8601 with offset: "2025-01-12T00:30:41.931343+07:00", "…Z", "…+0700"; also with a comma or a
  // space for the dot or the T. Leap second 60 counts as 59.
  [[nodiscard]] std::optional<Stamp> iso(std::string_view text);
  // The same, but only if the minute and the offset are those that were read last, and there are microseconds.
  [[nodiscard]] std::optional<Stamp> iso_like_before(std::string_view text) const;

  // BSD syslog (RFC 3164): "Jan  2 15:04:05" in the time zone of this process, without a year. The year is the
  // latest that keeps it from lying more than a day after `newest`. Where clocks are set back, an hour exists twice:
  // the reading that does not run backwards from the line before is taken.
  [[nodiscard]] std::optional<Stamp> bsd(std::string_view text, WallTime newest);

 private:
  struct LocalHour {
    int month = -1;
    int day = -1;
    int hour = -1;
    int64_t start = 0;         // seconds since 1970 of minute 0
    int64_t second_start = 0;  // the same hour's second occurrence when clocks are set back, else start
  };
  [[nodiscard]] bool find_local_hour(int month, int day, int hour, WallTime newest);

  static constexpr size_t minute_length = 16;
  char cached_minute_[minute_length + 1] = "1970-01-01T00:00";
  int64_t cached_seconds_ = 0;  // of that minute, as if it were UTC
  char offset_text_[6] = {'+', '0', '0', ':', '0', '0'};
  int64_t offset_seconds_ = 0;
  LocalHour hour_;
  int64_t last_bsd_ = 0;
};

inline std::optional<TimestampReader::Stamp> TimestampReader::iso_like_before(std::string_view text) const {
  constexpr size_t fraction = 20;
  constexpr size_t length = fraction + 6 + sizeof offset_text_;
  const char* at = text.data();
  if (text.size() < length || std::memcmp(at, cached_minute_, minute_length) != 0 || at[16] != ':' || at[19] != '.' ||
      std::memcmp(at + fraction + 6, offset_text_, sizeof offset_text_) != 0)
    return {};
  const int second = two_digits(at + 17);
  const auto micros = number_of_digits(load_eight(at + fraction), 6);
  if (second < 0 || second > 59 || !micros) return {};
  const int64_t seconds = cached_seconds_ + second - offset_seconds_;
  return Stamp{WallTime{Duration{seconds * 1'000'000 + *micros}}, length};
}

}  // namespace palang
