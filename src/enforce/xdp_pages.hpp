#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/hash.hpp"
#include "bpf/abi.h"
#include "bpf/hash.h"
#include "enforce/xdp_map.hpp"

namespace palang {

inline constexpr uint64_t page_slots = uint64_t{PALANG_SLOTS} * PALANG_BUCKETS;

// The table of single IPv4 addresses that the program reads (struct palang_page), written through shared memory: a ban
// more is one aligned store. Every state in between is one that the program understands: a slot is written as a whole,
// an address is in one place only, and a larger table is filled before one store puts it in force.
//
// One writer; besides, the program moves ends and counts hits.
class XdpPages {
 public:
  // `segments` is the map bans4, each of whose maps is pinned by its place; it and the settings stay the caller's.
  // Takes over what is in force.
  [[nodiscard]] static Result<XdpPages> open(MapSlot segments, palang_settings& settings);

  enum class Put : uint8_t {
    added,
    added_where_full,  // as added; both its buckets have been full, so that it may also have overflowed earlier
    replaced,
    no_room,  // both buckets are full; the caller finds another place (see set_overflowed)
  };
  // Whatever was counted of the address begins anew.
  Put put(uint32_t address, uint32_t word);
  // Whether it was there.
  bool remove(uint32_t address);
  // 0: none.
  [[nodiscard]] uint32_t word(uint32_t address) const;
  [[nodiscard]] uint32_t hits(uint32_t address) const;

  // The memory accesses of put() and word(), started early.
  void prefetch_bucket(uint32_t address) const;

  [[nodiscard]] uint64_t size() const { return used_; }
  [[nodiscard]] uint64_t bytes() const { return pages() * sizeof(palang_page); }
  // More than this should not be in it: then grow_for() first.
  [[nodiscard]] uint64_t comfortable() const { return comfort(pages()); }
  [[nodiscard]] uint64_t capacity() const { return page_slots * pages(); }

  // Replaces the table by one with room for so many bans. What is over at `now` is left behind. The other table, where
  // there is one, may have bans that found no room: it is the caller's to bring them back.
  [[nodiscard]] Result<void> grow_for(uint64_t bans, uint32_t now);
  // So many bans are in the map nets4 with a length of 32, for want of room here.
  void set_overflowed(uint64_t bans);

  // Removes what is over, in so many pages from where the last call ended. Answers how many bans went.
  uint64_t sweep(uint32_t portion, uint32_t now);

  // visit(address, word, hits)
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (uint32_t page = 0; page < pages(); ++page)
      for (uint32_t i = 0; i < PALANG_PAGE_SLOTS; ++i)
        if (const uint64_t slot = load(slots(page)[i]); holds_ban(slot))
          visit(static_cast<uint32_t>(slot), static_cast<uint32_t>(slot >> 32), this->page(page)->hits[i]);
  }

  void clear();

 private:
  struct Place {
    uint32_t page = nowhere;
    uint32_t slot = 0;
    [[nodiscard]] explicit operator bool() const { return page != nowhere; }
  };
  static constexpr uint32_t nowhere = UINT32_MAX;
  XdpPages(MapSlot segments, palang_settings& settings, MappedMemory memory, uint64_t table)
      : segments_(std::move(segments)), settings_(&settings), memory_(std::move(memory)), table_(table) {}
  [[nodiscard]] static Result<XdpPages> create(MapSlot segments, palang_settings& settings, uint64_t pages);
  // Fuller than three fifths, too many bans spill over into their second choice.
  [[nodiscard]] static uint64_t comfort(uint64_t pages) { return pages * page_slots * 3 / 5; }
  [[nodiscard]] uint32_t pages() const { return static_cast<uint32_t>(table_); }

  [[nodiscard]] static bool holds_ban(uint64_t slot) { return (slot >> 32) != 0 && slot != PALANG_TOMBSTONE; }
  [[nodiscard]] static uint64_t load(const __u64& slot) {
    return std::atomic_ref(const_cast<__u64&>(slot)).load(std::memory_order_relaxed);
  }
  void store(Place place, uint64_t slot) {
    std::atomic_ref(slots(place.page)[place.slot]).store(slot, std::memory_order_release);
  }
  [[nodiscard]] palang_page* page(uint32_t number) const { return memory_.as<palang_page>() + number; }
  [[nodiscard]] __u64* slots(uint32_t number) const { return &page(number)->buckets[0].slots[0]; }
  [[nodiscard]] uint64_t hash(uint32_t address) const {
    return palang_hash(address, settings_->seed_a, settings_->seed_b);
  }
  [[nodiscard]] Place first_slot(uint64_t hash) const {
    return {palang_page_of(hash, pages()), palang_bucket_of(hash) * PALANG_SLOTS};
  }
  [[nodiscard]] bool has_been_full(Place bucket) const {
    return load(slots(bucket.page)[bucket.slot + PALANG_SLOTS - 1]) != 0;
  }
  [[nodiscard]] Place in_bucket(Place bucket, uint32_t address) const;
  [[nodiscard]] Place room_in_bucket(Place bucket) const;
  [[nodiscard]] Place find(uint32_t address) const;
  void write(Place place, uint32_t address, uint32_t word, uint32_t hits);
  Put put_with_hits(uint32_t address, uint32_t word, uint32_t hits);
  [[nodiscard]] static uint64_t nothing_at(Place place);
  bool free_if_over(Place place, uint32_t now);
  [[nodiscard]] Result<XdpPages> larger_copy(uint64_t pages, uint32_t now) const;
  void take_over_from(const XdpPages& earlier);

  void put_in_force();
  [[nodiscard]] Result<void> forget(const XdpPages& earlier) const;

  MapSlot segments_;
  palang_settings* settings_;
  MappedMemory memory_;
  uint64_t table_;     // as palang_settings.table, without PALANG_OVERFLOWED
  uint64_t used_ = 0;  // over or not
  uint32_t swept_ = 0;
};

}  // namespace palang
