#pragma once

#include <cstdint>

#include "base/seeded_table.hpp"
#include "net/prefix_lengths.hpp"

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
  [[nodiscard]] Slot find(const Prefix& exact) const { return table_.find(exact); }
  [[nodiscard]] Value* get(const Prefix& exact) { return table_.get(exact); }
  [[nodiscard]] const Value* get(const Prefix& exact) const { return table_.get(exact); }

  // The longest prefix that holds all of `inner` and satisfies `accept(value)`.
  template <typename Accept>
  [[nodiscard]] Slot find_covering(const Prefix& inner, Accept&& accept) const {
    for (const uint8_t bits : lengths_.of(inner.address())) {
      if (bits > inner.bits()) continue;
      const Slot slot = table_.find(Prefix::around(inner.address(), bits));
      if (slot != none && accept(table_.value(slot))) return slot;
    }
    return none;
  }
  [[nodiscard]] Slot find_covering(const Address& address) const {
    return find_covering(Prefix::of(address), [](const Value&) { return true; });
  }

  std::pair<Slot, bool> find_or_insert(const Prefix& prefix) {
    const auto found = table_.find_or_insert(prefix);
    if (found.second) lengths_.add(prefix);
    return found;
  }
  void erase(Slot slot) {
    lengths_.remove(table_.key(slot));
    table_.erase(slot);
  }
  void clear() {
    table_.clear();
    lengths_.clear();
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
  Table table_;
  PrefixLengths lengths_;
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
