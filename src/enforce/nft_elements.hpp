#pragma once

#include <chrono>
#include <span>

#include "enforce/nft_batch.hpp"
#include "enforce/set_name.hpp"

namespace palang {

// The wall clock of one call: the caller's `now`, moved on by what the call itself takes. A load of a million elements
// takes seconds, and the last element's ban must not end that much later.
class CallClock {
 public:
  explicit CallClock(WallTime now) : now_(now) {}
  [[nodiscard]] WallTime now() const {
    return now_ + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_);
  }

 private:
  WallTime now_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// Longer bans are given to the kernel as this long; it counts in milliseconds and jiffies, and 0 would mean forever.
inline constexpr Duration longest_timeout = one_day * 3650;

// None for "without end". At least 1 ms.
[[nodiscard]] std::optional<std::chrono::milliseconds> kernel_timeout(WallTime until, WallTime now);

// Elements that the set doesn't hold. One it holds nevertheless keeps its timeout (kernels before 6.12).
void put_new_elements(NftBatch& batch, const SetName& set, std::span<const Element> elements, WallTime now);
// Elements that the set may hold, with whatever timeout: they get this one, and a fresh counter.
void put_elements(NftBatch& batch, const SetName& set, std::span<const Element> elements, WallTime now);
// Elements that the set may hold, or may not (any more): they are gone.
void put_element_removals(NftBatch& batch, const SetName& set, std::span<const Element> elements);

}  // namespace palang
