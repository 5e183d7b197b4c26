#include "enforce/xdp_clock.hpp"

#include <bpf/bpf.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "bpf/abi.h"

namespace palang {
namespace {

constexpr Duration longest_ban = one_day * 365 * 8;
constexpr Duration ask_again_after = 1min;

Result<uint64_t> jiffies_by(int program) {
  palang_clock reading{};
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.ctx_in = &reading;
  options.ctx_size_in = sizeof reading;
  // A program of this kind writes its context in place.
  if (bpf_prog_test_run_opts(program, &options) != 0) return fail_os("read", "the kernel's clock by BPF", errno);
  return reading.jiffies;
}

// Runs at the pace of the jiffies but for what the clock is slewed, half a thousandth at most; costs no system call.
Duration monotonic() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                              std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

Result<XdpClock> XdpClock::open(int clock_program) {
  // The coarse clock advances once a jiffy.
  timespec tick{};
  if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_nsec <= 0)
    return fail_os("ask for", "the length of a jiffy", errno);
  constexpr long second = 1'000'000'000;
  XdpClock clock(clock_program, static_cast<uint32_t>((second + tick.tv_nsec / 2) / tick.tv_nsec));
  clock.shift_ = static_cast<uint32_t>(std::bit_width(clock.hz_ * 17 / 16)) - 1;
  return clock;
}

Result<XdpClock::Reading> XdpClock::read(WallTime now) {
  const Duration uptime = monotonic();
  if (!asked_ || uptime - asked_at_ > ask_again_after || uptime < asked_at_) {
    const auto jiffies = jiffies_by(program_);
    if (!jiffies) return Failure(jiffies.error());
    asked_ = *jiffies;
    asked_at_ = uptime;
  }
  Reading reading;
  reading.jiffies_ = *asked_ + static_cast<uint64_t>((uptime - asked_at_).count()) * hz_ / 1'000'000;
  reading.hz_ = hz_;
  reading.shift_ = shift_;
  reading.now_ = now;
  return reading;
}

uint32_t XdpClock::units_of(Duration duration) const {
  const auto jiffies = std::clamp<int64_t>(duration.count(), 0, longest_ban.count()) / 1000 * hz_ / 1000;
  return static_cast<uint32_t>(static_cast<uint64_t>(jiffies) >> shift_);
}

uint32_t XdpClock::Reading::end_at(WallTime until) const {
  if (until - now_ >= longest_ban) return PALANG_NO_END;
  const auto remaining = static_cast<uint64_t>(std::max<int64_t>((until - now_).count(), 0));
  const uint64_t end = jiffies_ + (remaining * hz_ + 999'999) / 1'000'000;
  const uint64_t units = (end + (uint64_t{1} << shift_) - 1) >> shift_;
  return static_cast<uint32_t>(std::min<uint64_t>(units, PALANG_NO_END));
}

WallTime XdpClock::Reading::wall_time(uint32_t end) const {
  if (end >= PALANG_NO_END) return now_ + longest_ban;
  const auto jiffies = static_cast<int64_t>(uint64_t{end} << shift_) - static_cast<int64_t>(jiffies_);
  return now_ + Duration(jiffies * 1'000'000 / static_cast<int64_t>(hz_));
}

WallTime XdpClock::Reading::time_of(uint64_t jiffies) const {
  const auto since = static_cast<int64_t>(jiffies_ - jiffies);
  return now_ - Duration(since * 1'000'000 / static_cast<int64_t>(hz_));
}

}  // namespace palang
