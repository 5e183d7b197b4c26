#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "base/time.hpp"

namespace palang {

// What is due when, for millions of entries that mostly lie far ahead: minutes of the future are unsorted lists, and
// only the entries of the minute at hand (and those beyond the horizon) lie in a heap. An entry costs one append,
// where a single heap would cost a walk through memory.
class Agenda {
 public:
  struct Entry {
    WallTime when;
    uint32_t slot = 0;
    friend bool operator>(const Entry& a, const Entry& b) {
      return a.when != b.when ? a.when > b.when : a.slot > b.slot;
    }
  };

  void add(const Entry& entry) {
    ++size_;
    const int64_t minute = minute_of(entry.when);
    if (minute <= at_hand_) {
      near_.push(entry);
    } else if (minute - at_hand_ > horizon) {
      far_.push(entry);
    } else {
      const auto ahead = static_cast<size_t>(minute - at_hand_ - 1);
      if (ahead >= minutes_.size()) minutes_.resize(ahead + 1);
      minutes_[ahead].push_back(entry);
    }
  }

  // Nothing is due at `now`; false where only a look can tell.
  [[nodiscard]] bool rests(WallTime now) const { return now < hand_ends_ && (near_.empty() || now < near_.top().when); }

  // Takes the minute of `now` in hand, if it is not yet; whether it did.
  bool advance(WallTime now) {
    if (now < hand_ends_) return false;
    move_to(minute_of(now));
    return true;
  }
  // At most so many entries of the minute after the one at hand.
  [[nodiscard]] std::span<const Entry> upcoming(size_t most) const {
    if (minutes_.empty()) return {};
    return std::span(minutes_.front()).first(std::min(most, minutes_.front().size()));
  }

  // Takes out the earliest entry that is due at `now`.
  [[nodiscard]] std::optional<Entry> take(WallTime now) {
    advance(now);
    if (near_.empty() || near_.top().when > now) return {};
    const Entry entry = near_.top();
    near_.pop();
    --size_;
    return entry;
  }

  // No entry is due before this; exact for the minute at hand.
  [[nodiscard]] std::optional<WallTime> next() const {
    if (!near_.empty()) return near_.top().when;
    // Time has moved since the far ones were added, so they need not be the last.
    const WallTime far = far_.empty() ? WallTime::max() : far_.top().when;
    for (size_t i = 0; i < minutes_.size(); ++i)
      if (!minutes_[i].empty())
        return std::min(far, WallTime{std::chrono::minutes{at_hand_ + 1 + static_cast<int64_t>(i)}});
    if (!far_.empty()) return far;
    return {};
  }

  [[nodiscard]] size_t size() const { return size_; }

  void clear() {
    near_ = {};
    minutes_.clear();
    far_ = {};
    size_ = 0;
  }

 private:
  using Heap = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;
  static constexpr int64_t horizon = int64_t{64} * 24 * 60;  // minutes

  [[nodiscard]] static int64_t minute_of(WallTime time) {
    return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
  }

  void move_to(int64_t minute) {
    if (minute <= at_hand_) return;
    while (at_hand_ < minute && !minutes_.empty()) {
      ++at_hand_;
      for (const Entry& entry : minutes_.front()) near_.push(entry);
      minutes_.pop_front();
    }
    at_hand_ = minute;
    hand_ends_ = WallTime{std::chrono::minutes{minute + 1}};
    while (!far_.empty() && minute_of(far_.top().when) <= minute) {
      near_.push(far_.top());
      far_.pop();
    }
  }

  int64_t at_hand_ = 0;  // minutes since 1970; its entries and all earlier ones are in near_
  WallTime hand_ends_{};
  Heap near_;
  std::deque<std::vector<Entry>> minutes_;  // the minutes after at_hand_, one list each
  Heap far_;
  size_t size_ = 0;
};

}  // namespace palang
