#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "enforce/xdp_map.hpp"
#include "net/prefix.hpp"

namespace palang {

// A prefix and the word of its ban.
struct WordedBan {
  Prefix prefix;
  uint32_t word = 0;
  uint32_t hits = 0;
};

// The hash map of one family that holds every ban outside the pages: other prefix lengths, IPv6, and single IPv4
// addresses that found no room there. One writer; besides, the program moves ends and counts hits.
class XdpNets {
 public:
  // `outer` is the map nets4 or nets6, which stays the caller's.
  [[nodiscard]] static Result<XdpNets> open(MapSlot outer, bool v4);

  // Whether it is new. Whatever was counted of the prefix begins anew.
  [[nodiscard]] Result<bool> put(const Prefix& prefix, uint32_t word);
  // Many at once; none of them is in it.
  [[nodiscard]] Result<void> load(std::span<const WordedBan> bans);
  // Whether it was there.
  [[nodiscard]] Result<bool> remove(const Prefix& prefix);
  // A word of 0: not there.
  [[nodiscard]] palang_ban find(const Prefix& prefix) const;
  [[nodiscard]] Result<std::vector<WordedBan>> all() const;

  [[nodiscard]] uint64_t size() const { return used_; }
  [[nodiscard]] uint64_t size_of_length(unsigned length) const { return by_length_[length]; }
  // What the kernel takes for it, about.
  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] Result<void> clear();

 private:
  XdpNets(MapSlot outer, bool v4) : outer_(std::move(outer)), v4_(v4) {}
  [[nodiscard]] Result<Fd> create(uint32_t entries) const;
  [[nodiscard]] Result<void> grow_for(uint64_t bans);
  void take_over_from(std::span<const WordedBan> earlier);

  MapSlot outer_;
  bool v4_;
  Fd map_;
  uint32_t entries_ = 0;  // room
  uint64_t used_ = 0;
  std::array<uint64_t, 129> by_length_{};
};

}  // namespace palang
