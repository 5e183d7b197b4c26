#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace palang {

// What is due when, for millions of entries that mostly lie far ahead: minutes of the future are unsorted lists, and
// only the entries of the minute at hand (and those beyond the horizon) lie in a heap. An entry costs one append,
// where a single heap would cost a walk through memory. The lists are chains of blocks, each of which fills a cache
// line.
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
      if (minute - at_hand_ > static_cast<int64_t>(minutes_.size())) see_as_far_as(minute);
      append(minutes_[place_of(minute)], entry, minute);
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
  // Visits at most so many entries of the minute after the one at hand.
  template <typename Visit>
  void for_each_upcoming(size_t most, Visit&& visit) const {
    if (minutes_.empty()) return;
    const int64_t minute = at_hand_ + 1;
    for (uint32_t block = minutes_[place_of(minute)]; block != none && most > 0; block = blocks_[block].next)
      for (uint32_t i = 0; i < blocks_[block].count && most > 0; ++i, --most) visit(blocks_[block].entry(i, minute));
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
    for (int64_t minute = at_hand_ + 1; minute <= at_hand_ + static_cast<int64_t>(minutes_.size()); ++minute)
      if (minutes_[place_of(minute)] != none) return std::min(far, WallTime{std::chrono::minutes{minute}});
    if (!far_.empty()) return far;
    return {};
  }

  [[nodiscard]] size_t size() const { return size_; }

  void clear() {
    near_ = {};
    minutes_.clear();
    blocks_.clear();
    free_ = none;
    far_ = {};
    size_ = 0;
  }

 private:
  // Entries of one minute.
  struct alignas(64) Block {
    struct Short {
      uint32_t offset;  // microseconds from the beginning of the minute
      uint32_t slot;
    };
    static constexpr uint32_t most = 7;
    std::array<Short, most> entries;
    uint32_t next;
    uint32_t count;

    [[nodiscard]] Entry entry(uint32_t i, int64_t minute) const {
      return {WallTime{std::chrono::minutes{minute} + Duration{entries[i].offset}}, entries[i].slot};
    }
  };
  static constexpr uint32_t none = UINT32_MAX;

  using Heap = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;
  static constexpr int64_t horizon = int64_t{64} * 24 * 60;  // minutes

  [[nodiscard]] static int64_t minute_of(WallTime time) {
    return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
  }

  [[nodiscard]] size_t place_of(int64_t minute) const { return static_cast<size_t>(minute) & (minutes_.size() - 1); }

  // `list`: the first block of its minute; the only one that may have room.
  void append(uint32_t& list, const Entry& entry, int64_t minute) {
    if (list == none || blocks_[list].count == Block::most) list = take_block(list);
    Block& block = blocks_[list];
    const Duration offset = entry.when - WallTime{std::chrono::minutes{minute}};
    block.entries[block.count++] = {static_cast<uint32_t>(offset.count()), entry.slot};
  }

  [[nodiscard]] uint32_t take_block(uint32_t next) {
    const uint32_t block = free_ == none ? static_cast<uint32_t>(blocks_.size()) : free_;
    if (free_ == none) {
      blocks_.emplace_back();
    } else {
      free_ = blocks_[block].next;
    }
    blocks_[block].next = next;
    blocks_[block].count = 0;
    return block;
  }

  // Makes the lists reach to `minute`; those that are in use stand elsewhere then.
  void see_as_far_as(int64_t minute) {
    const std::vector<uint32_t> before = std::exchange(minutes_, {});
    minutes_.assign(std::bit_ceil(static_cast<size_t>(minute - at_hand_)), none);
    for (size_t i = 1; i <= before.size(); ++i) {
      const int64_t known = at_hand_ + static_cast<int64_t>(i);
      minutes_[place_of(known)] = before[static_cast<size_t>(known) & (before.size() - 1)];
    }
  }

  void take_in_hand(int64_t minute) {
    uint32_t& list = minutes_[place_of(minute)];
    while (list != none) {
      Block& block = blocks_[list];
      for (uint32_t i = 0; i < block.count; ++i) near_.push(block.entry(i, minute));
      const uint32_t next = block.next;
      block.next = std::exchange(free_, list);
      list = next;
    }
  }

  void move_to(int64_t minute) {
    if (minute <= at_hand_) return;
    const auto lists = static_cast<int64_t>(minutes_.size());
    for (int64_t passed = at_hand_ + 1; passed <= std::min(minute, at_hand_ + lists); ++passed) take_in_hand(passed);
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
  std::vector<uint32_t> minutes_;  // a ring: the first block of each minute after at_hand_; its size is a power of two
  std::vector<Block> blocks_;
  uint32_t free_ = none;  // blocks that are not in use
  Heap far_;
  size_t size_ = 0;
};

}  // namespace palang
