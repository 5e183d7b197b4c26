#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "parse/timestamp.hpp"

namespace palang {

// The times that services write into logs of their own. Those without an offset are in the time zone of this process.
// Remembers the minute and the hour it read last, since thousands of lines share them.
class LogTimeReader {
 public:
  using Stamp = TimestampReader::Stamp;

  // "12/Jan/2025:00:30:41 +0700" of access logs; the month may be a number ("12/01/2025:…", Proxmox).
  [[nodiscard]] std::optional<Stamp> access(std::string_view text);
  // "2025/01/12 00:30:41" of nginx and Go programs, with a fraction, too.
  [[nodiscard]] std::optional<Stamp> slashed(std::string_view text);
  // "Sun Jan 12 00:30:41.123456 2025" of Apache and asctime().
  [[nodiscard]] std::optional<Stamp> asctime(std::string_view text);
  // Whatever of these and more a line begins with, in brackets or not: ISO 8601 with or without offset, BSD syslog,
  // "12-Jan-2025 00:30:41.123" (BIND), "250112  0:30:41" (MySQL), "2025:01:12-00:30:41" (DirectAdmin), seconds since
  // 1970. `newest` dates the yearless. The length is that of all that belongs to the time, with what separates it from
  // the message.
  [[nodiscard]] std::optional<Stamp> leading(std::string_view text, WallTime newest);

 private:
  struct Date {
    int year = 0;
    int month = 0;  // 1..12
    int day = 0;
  };
  [[nodiscard]] std::optional<Stamp> bare(std::string_view text, WallTime newest);
  [[nodiscard]] std::optional<Stamp> iso(std::string_view text);
  [[nodiscard]] std::optional<Stamp> bind(std::string_view text);
  [[nodiscard]] std::optional<Stamp> mysql(std::string_view text);
  [[nodiscard]] std::optional<Stamp> direct_admin(std::string_view text);
  [[nodiscard]] static std::optional<Stamp> epoch(std::string_view text);
  // "00:30:41" with a fraction, behind a date; the length counts from the beginning of `text`, which has the date.
  [[nodiscard]] std::optional<Stamp> local(const Date& date, std::string_view text, size_t at);
  // Seconds since 1970 at which this hour begins; nothing if there is no such day.
  [[nodiscard]] std::optional<int64_t> local_hour(const Date& date, int hour);

  TimestampReader timestamps_;
  char access_minute_[17] = "";  // "12/Jan/2025:00:30"
  int64_t access_seconds_ = 0;   // of that minute, as if it were UTC
  Date hour_date_;
  int hour_ = -1;
  int64_t hour_seconds_ = 0;
};

}  // namespace palang
