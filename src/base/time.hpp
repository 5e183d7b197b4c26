#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace palang {

using namespace std::chrono_literals;

// All spans of time, in microseconds: Duration{10min}.
using Duration = std::chrono::microseconds;

// A point on the UTC wall clock, in microseconds since 1970.
using WallTime = std::chrono::sys_time<Duration>;

inline constexpr Duration one_day = std::chrono::hours{24};

// "90s", "10m", "3d", "1d12h", "250ms"; a unit is required. Units: ms, s, m, h, d, w.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// The shortest exact spelling that parse_duration reads back: "3d", "1d12h", "0s".
[[nodiscard]] std::string format_duration(Duration duration);

// For people: the two largest units, "2d 4h", "35s", "0s".
[[nodiscard]] std::string approximate_duration(Duration duration);

// "2025-01-11T17:30:41Z"
[[nodiscard]] std::string format_utc(WallTime time);

// "2025-01-12 00:30:41" in the time zone of this process.
[[nodiscard]] std::string format_local(WallTime time);

// Where "now" comes from. Only the shell of the program holds one; the pure rooms get times as arguments.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override;
};

}  // namespace palang
