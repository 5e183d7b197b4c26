#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/seeded_table.hpp"
#include "net/prefix.hpp"

namespace palang {

// Values by prefix, looked up by address. One seeded hash table; the lengths in use are tried longest first,
// so a lookup costs one probe per length in use (two or three in practice), however many prefixes there are.
template <typename Value>
class PrefixMap {
 public:
  using Table = SeededTable<Prefix, Value>;
  using Slot = typename Table::Slot;
  static constexpr Slot none = Table::none;

  explicit PrefixMap(HashSeed seed) : table_(seed) {}

  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] bool empty() const { return table_.empty(); }
  void reserve(size_t entries) { table_.reserve(entries); }
  // See SeededTable: for a find_covering() of this address to come.
  void prefetch_index(const Address& address) const {
    for (const uint8_t bits : lengths(address)) table_.prefetch_index(Prefix::around(address, bits));
  }
  void prefetch_slot(Slot slot) const { table_.prefetch_slot(slot); }

  [[nodiscard]] Slot find(const Prefix& exact) const { return table_.find(exact); }
  [[nodiscard]] Value* get(const Prefix& exact) { return table_.get(exact); }
  [[nodiscard]] const Value* get(const Prefix& exact) const { return table_.get(exact); }

  // The longest prefix that holds all of `inner` and satisfies `accept(value)`.
  template <typename Accept>
  [[nodiscard]] Slot find_covering(const Prefix& inner, Accept&& accept) const {
    for (const uint8_t bits : lengths(inner.address())) {
      if (bits > inner.bits()) continue;
      const Slot slot = table_.find(Prefix::around(inner.address(), bits));
      if (slot != none && accept(table_.value(slot))) return slot;
    }
    return none;
  }
  [[nodiscard]] Slot find_covering(const Address& address) const {
    return find_covering(Prefix::of(address), [](const Value&) { return true; });
  }

  // Whether there may be prefixes inside `wide`: some longer length of its family is in use.
  [[nodiscard]] bool has_longer_than(const Prefix& wide) const {
    const auto& used = lengths(wide.address());
    return !used.empty() && used.front() > wide.bits();
  }

  std::pair<Slot, bool> find_or_insert(const Prefix& prefix) {
    const auto found = table_.find_or_insert(prefix);
    if (found.second && counts(prefix)[prefix.bits()]++ == 0) rebuild_lengths();
    return found;
  }
  void erase(Slot slot) {
    const Prefix prefix = table_.key(slot);
    table_.erase(slot);
    if (--counts(prefix)[prefix.bits()] == 0) rebuild_lengths();
  }
  void clear() {
    table_.clear();
    counts_v4_.fill(0);
    counts_v6_.fill(0);
    rebuild_lengths();
  }

  [[nodiscard]] const Prefix& key(Slot slot) const { return table_.key(slot); }
  [[nodiscard]] Value& value(Slot slot) { return table_.value(slot); }
  [[nodiscard]] const Value& value(Slot slot) const { return table_.value(slot); }
  [[nodiscard]] Slot slots() const { return table_.slots(); }
  [[nodiscard]] bool used(Slot slot) const { return table_.used(slot); }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    table_.for_each(std::forward<Visit>(visit));
  }

 private:
  using Counts = std::array<uint32_t, 129>;

  [[nodiscard]] const std::vector<uint8_t>& lengths(const Address& address) const {
    return address.is_v4() ? lengths_v4_ : lengths_v6_;
  }

  // ::/0 and other prefixes shorter than /96 around the mapped range hold no IPv4 address here: families don't mix.
  [[nodiscard]] Counts& counts(const Prefix& prefix) { return prefix.is_v4() ? counts_v4_ : counts_v6_; }

  void rebuild_lengths() {
    lengths_v4_.clear();
    lengths_v6_.clear();
    for (int bits = 128; bits >= 0; --bits) {
      if (counts_v4_[static_cast<size_t>(bits)] > 0) lengths_v4_.push_back(static_cast<uint8_t>(bits));
      if (counts_v6_[static_cast<size_t>(bits)] > 0) lengths_v6_.push_back(static_cast<uint8_t>(bits));
    }
  }

  Table table_;
  Counts counts_v4_{};
  Counts counts_v6_{};
  std::vector<uint8_t> lengths_v4_;  // in use, longest first
  std::vector<uint8_t> lengths_v6_;
};

// Set of prefixes; contains() asks whether an address lies in any of them.
class PrefixSet {
 public:
  explicit PrefixSet(HashSeed seed = {}) : map_(seed) {}
  void insert(const Prefix& prefix) { map_.find_or_insert(prefix); }
  void clear() { map_.clear(); }
  [[nodiscard]] bool contains(const Address& address) const { return map_.find_covering(address) != Map::none; }
  [[nodiscard]] size_t size() const { return map_.size(); }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    map_.for_each([&](const Prefix& prefix, const auto&) { visit(prefix); });
  }

 private:
  struct Nothing {};
  using Map = PrefixMap<Nothing>;
  Map map_;
};

}  // namespace palang
