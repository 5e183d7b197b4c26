#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace palang::f2b {

// What a date template captured, each field by the letter that strptime has for it; empty where there is none.
struct DateFields {
  std::string_view year, year2, month, month_name, day, hour, hour12, am_pm, minute, second;
  std::string_view julian, week_sunday, week_monday, weekday, weekday_name, zone;

  // The field of a group named "Y", "b", …; null for other groups.
  [[nodiscard]] std::string_view* by_name(std::string_view name);
};

// Minutes east of UTC of "Z", "UTC", "+0200", "-03:30", "CET", "CET+01"; nothing for an unknown zone.
[[nodiscard]] std::optional<int> zone_minutes(std::string_view zone);

// Local time of this process, with a memory: mktime() and localtime() look at /etc/localtime each time. Offsets from
// UTC change at full quarters of an hour.
class LocalClock {
 public:
  // Seconds since 1970 of a local date and time that is given as if it were UTC, and the other way round.
  [[nodiscard]] int64_t from_local(int64_t seconds);
  [[nodiscard]] int64_t to_local(int64_t seconds);

 private:
  struct Quarter {
    int64_t number = INT64_MIN;  // since 1970
    int64_t offset = 0;          // seconds to add
  };
  Quarter from_;
  Quarter to_;
};

// A time of the captured fields, whole seconds as fail2ban has it. What is missing is this year, today, 00:00:00 of
// `now`; then a date without year that would be more than a day ahead is last year's, a time without a date that would
// be ahead is yesterday's. Without a zone, `default_zone` (minutes) or the local time of this process is meant.
[[nodiscard]] std::optional<WallTime> time_of(const DateFields& fields, WallTime now, std::optional<int> default_zone,
                                              LocalClock& clock);

}  // namespace palang::f2b
