#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/decision.hpp"

namespace palang {

// The clock by which the program ends bans: the kernel's jiffies in units of about a second. It costs the program
// nothing; it stands still while the machine sleeps, and is set right when the ends are written next.
class XdpClock {
 public:
  // `clock_program` is palang_clock, which stays the caller's.
  [[nodiscard]] static Result<XdpClock> open(int clock_program);

  // What it shows now; `now` is the wall clock's.
  class Reading {
   public:
    // The first unit by which `until` is past; what is beyond its range (eight years) is without end.
    [[nodiscard]] uint32_t end_at(WallTime until) const;
    [[nodiscard]] WallTime wall_time(uint32_t end) const;
    [[nodiscard]] WallTime time_of(uint64_t jiffies) const;
    [[nodiscard]] uint32_t units() const { return static_cast<uint32_t>(jiffies_ >> shift_); }

   private:
    friend XdpClock;
    uint64_t jiffies_ = 0;
    uint64_t hz_ = 1;
    unsigned shift_ = 0;
    WallTime now_;
  };
  [[nodiscard]] Result<Reading> read(WallTime now);

  [[nodiscard]] uint32_t hz() const { return hz_; }
  [[nodiscard]] uint32_t unit_shift() const { return shift_; }
  [[nodiscard]] uint32_t units_of(Duration duration) const;

 private:
  XdpClock(int program, uint32_t hz) : program_(program), hz_(hz) {}
  int program_;
  uint32_t hz_;
  uint32_t shift_ = 0;
  std::optional<uint64_t> asked_;  // jiffies, as the kernel last said
  Duration asked_at_{};            // on the monotonic clock
};

}  // namespace palang
