#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/chunked_array.hpp"
#include "base/hash.hpp"
#include "base/prefetch.hpp"

namespace palang {

// A hash table for keys that strangers choose: seeded hash, dense storage, stable slots.
//
// Entries lie in one array and keep their slot number until erased; a separate index of 8-byte cells
// (32 bits of hash, 32 bits of slot) is probed linearly. Key needs operator== and an ADL function
// `uint64_t hash_key(HashSeed, const Key&)`. The owner bounds the size (promise 5).
template <typename Key, typename Value>
class SeededTable {
 public:
  using Slot = uint32_t;
  static constexpr Slot none = UINT32_MAX;

  explicit SeededTable(HashSeed seed) : seed_(seed), cells_(initial_cells, 0) {}

  [[nodiscard]] size_t size() const { return live_; }
  [[nodiscard]] bool empty() const { return live_ == 0; }

  void reserve(size_t entries) {
    size_t wanted = initial_cells;
    while (wanted < entries * 2) wanted *= 2;
    if (wanted > cells_.size()) rebuild_index(wanted);
  }

  // The memory accesses of a lookup, started early: first the index, some time later the entry. Worth it where many
  // keys are known ahead (a replay), since each access to a large table is a cache miss.
  void prefetch_index(const Key& key) const { prefetch_index_of(hash_of(key)); }
  void prefetch_entry(const Key& key) const { prefetch_entry_of(hash_of(key)); }
  // The same, and the lookup, for those who keep the hash of a key meanwhile.
  [[nodiscard]] uint64_t hash_of(const Key& key) const { return hash_key(seed_, key); }
  void prefetch_index_of(uint64_t hash) const { prefetch(&cells_[hash & (cells_.size() - 1)]); }
  void prefetch_entry_of(uint64_t hash) const { prefetch_slot(slot_of(cell_of(hash))); }
  // The same for an entry whose slot is known (any number will do): its first cache line, and the one after.
  void prefetch_slot(Slot slot) const {
    if (slot < entries_.size()) prefetch(&entries_[slot]);
  }
  void prefetch_rest_of_slot(Slot slot) const {
    if constexpr (sizeof(Entry) > cache_line)
      if (slot < entries_.size()) prefetch(reinterpret_cast<const char*>(&entries_[slot]) + cache_line);
  }

  [[nodiscard]] Slot find(const Key& key) const { return find(key, hash_of(key)); }
  [[nodiscard]] Slot find(const Key& key, uint64_t hash) const {
    const size_t mask = cells_.size() - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
      const uint64_t cell = cells_[at];
      if (cell == 0) return none;
      if ((cell >> 32) != (hash >> 32)) continue;
      const Slot slot = slot_of(cell);
      if (entries_[slot].key == key) return slot;
    }
  }

  // Whether `slot`, found some time ago, is still that of `key`.
  [[nodiscard]] bool holds(Slot slot, const Key& key) const {
    // An erased entry has the default key, so for others there is no need to touch the end of the entry.
    return slot < entries_.size() && entries_[slot].key == key && (key != Key{} || entries_[slot].used);
  }

  [[nodiscard]] Value* get(const Key& key) {
    const Slot slot = find(key);
    return slot == none ? nullptr : &entries_[slot].value;
  }
  [[nodiscard]] const Value* get(const Key& key) const {
    const Slot slot = find(key);
    return slot == none ? nullptr : &entries_[slot].value;
  }

  // The slot of `key`, and whether it is new (then with a value-initialised Value).
  std::pair<Slot, bool> find_or_insert(const Key& key) { return find_or_insert(key, hash_of(key)); }
  std::pair<Slot, bool> find_or_insert(const Key& key, uint64_t hash) {
    const Slot found = find(key, hash);
    if (found != none) return {found, false};
    if ((live_ + 1) * 2 > cells_.size()) rebuild_index(cells_.size() * 2);
    const Slot slot = take_slot(key);
    place(hash, slot);
    ++live_;
    return {slot, true};
  }

  [[nodiscard]] const Key& key(Slot slot) const { return entries_[slot].key; }
  [[nodiscard]] Value& value(Slot slot) { return entries_[slot].value; }
  [[nodiscard]] const Value& value(Slot slot) const { return entries_[slot].value; }

  void erase(Slot slot) {
    remove_cell(slot);
    entries_[slot] = Entry{};
    free_.push_back(slot);
    --live_;
  }

  void clear() {
    cells_.assign(initial_cells, 0);
    entries_.clear();
    free_.clear();
    live_ = 0;
  }

  // Visits every entry in slot order; the visitor must not insert or erase.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Slot slot = 0; slot < entries_.size(); ++slot)
      if (entries_[slot].used) visit(entries_[slot].key, entries_[slot].value);
  }

  // Erases one entry to make room: see next_to_go().
  template <typename Older>
  void evict_one(Older&& older) {
    const Slot oldest = next_to_go(std::forward<Older>(older));
    if (oldest != none) erase(oldest);
  }

  // Of a few entries, taken in turn round the table, the one that `older(a, b)` puts first; none of an empty table.
  // Sampling comes close to least-recently-used (Redis does the same) and costs nothing while there is room.
  template <typename Older>
  [[nodiscard]] Slot next_to_go(Older&& older) {
    constexpr int sample = 16;
    Slot oldest = none;
    for (int seen = 0; seen < sample && seen < static_cast<int>(live_); ++hand_) {
      if (hand_ >= entries_.size()) hand_ = 0;
      if (!entries_[hand_].used) continue;
      ++seen;
      if (oldest == none || older(entries_[hand_].value, entries_[oldest].value)) oldest = hand_;
    }
    return oldest;
  }

  // For sweeps in portions: slots run from 0 to slots()-1, some of them unused.
  [[nodiscard]] Slot slots() const { return static_cast<Slot>(entries_.size()); }
  [[nodiscard]] bool used(Slot slot) const { return slot < entries_.size() && entries_[slot].used; }

 private:
  static constexpr size_t initial_cells = 16;  // always a power of two
  static constexpr size_t cache_line = 64;     // bytes

  struct Fields {
    Key key{};
    Value value{};
    bool used = false;
  };
  // Entries that (nearly) fill cache lines begin with one, so that no look-up touches more of them than it must.
  static constexpr size_t overhang = sizeof(Fields) % cache_line;
  static constexpr bool fills_lines = overhang == 0 || overhang > cache_line - 16;
  struct alignas(fills_lines ? cache_line : alignof(Fields)) Entry : Fields {};

  // The first cell whose 32 bits of hash are the key's: nearly always its own; 0 if there is none.
  [[nodiscard]] uint64_t cell_of(uint64_t hash) const {
    const size_t mask = cells_.size() - 1;
    size_t at = hash & mask;
    while (cells_[at] != 0 && (cells_[at] >> 32) != (hash >> 32)) at = (at + 1) & mask;
    return cells_[at];
  }

  [[nodiscard]] static Slot slot_of(uint64_t cell) { return static_cast<Slot>(cell) - 1; }

  Slot take_slot(const Key& key) {
    if (free_.empty()) {
      entries_.push_back(Entry{{key, Value{}, true}});
      return static_cast<Slot>(entries_.size() - 1);
    }
    const Slot slot = free_.back();
    free_.pop_back();
    entries_[slot] = Entry{{key, Value{}, true}};
    return slot;
  }

  void place(uint64_t hash, Slot slot) {
    const size_t mask = cells_.size() - 1;
    size_t at = hash & mask;
    while (cells_[at] != 0) at = (at + 1) & mask;
    cells_[at] = (hash >> 32 << 32) | (static_cast<uint64_t>(slot) + 1);
  }

  void rebuild_index(size_t cells) {
    cells_.assign(cells, 0);
    for (Slot slot = 0; slot < entries_.size(); ++slot)
      if (entries_[slot].used) place(hash_key(seed_, entries_[slot].key), slot);
  }

  // Linear probing without tombstones: later cells of the run move back into the hole (Knuth 6.4, algorithm R).
  void remove_cell(Slot slot) {
    const size_t mask = cells_.size() - 1;
    size_t hole = hash_key(seed_, entries_[slot].key) & mask;
    while (slot_of(cells_[hole]) != slot) hole = (hole + 1) & mask;
    for (size_t at = (hole + 1) & mask; cells_[at] != 0; at = (at + 1) & mask) {
      const size_t home = hash_key(seed_, entries_[slot_of(cells_[at])].key) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = 0;
  }

  HashSeed seed_;
  std::vector<uint64_t, HugePageAllocator<uint64_t>> cells_;
  ChunkedArray<Entry> entries_;
  std::vector<Slot> free_;
  size_t live_ = 0;
  Slot hand_ = 0;  // where evict_one() goes on
};

}  // namespace palang
