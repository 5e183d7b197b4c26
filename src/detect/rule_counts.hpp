#pragma once

#include <cstdint>
#include <vector>

#include "base/seeded_table.hpp"
#include "base/time.hpp"
#include "model/rule.hpp"
#include "net/prefix.hpp"

namespace palang {

// What is counted for itself: one rule's events of one address or network.
struct RuleSubject {
  Rule rule = Rule::blocked;
  Prefix subject;
  friend constexpr auto operator<=>(const RuleSubject&, const RuleSubject&) = default;
};

[[nodiscard]] inline uint64_t hash_key(HashSeed seed, const RuleSubject& key) {
  seed.b += static_cast<uint64_t>(key.rule);
  return hash_key(seed, key.subject);
}

// One account that is tried, under one rule; the account by its hash.
struct RuleAccount {
  Rule rule = Rule::blocked;
  uint64_t account = 0;
  friend constexpr auto operator<=>(const RuleAccount&, const RuleAccount&) = default;
};

[[nodiscard]] inline uint64_t hash_key(HashSeed seed, const RuleAccount& key) {
  return hash_words(seed, key.account, static_cast<uint64_t>(key.rule));
}

// Lists by key, bounded in keys and in items altogether: among a few, the list whose newest item is oldest gives way.
template <typename Key, typename Item>
class BoundedLists {
 public:
  using List = std::vector<Item>;  // oldest first; every Item has a time `at`

  BoundedLists(HashSeed seed, uint32_t most_keys) : table_(seed), most_keys_(most_keys) {}

  // Calls `change(list)` with the list of `key`; one that is left empty is forgotten.
  template <typename Change>
  void change(const Key& key, Change&& change) {
    if (table_.size() >= most_keys_ && table_.get(key) == nullptr) evict();
    const auto slot = table_.find_or_insert(key).first;
    List& list = table_.value(slot);
    items_ -= list.size();
    change(list);
    items_ += list.size();
    if (list.empty())
      table_.erase(slot);
    else
      while (items_ > most_items() && table_.size() > 1) evict();
  }
  [[nodiscard]] const List* find(const Key& key) const { return table_.get(key); }
  void forget(const Key& key) {
    const auto slot = table_.find(key);
    if (slot != Table::none) erase(slot);
  }
  template <typename Goes>
  void forget_if(Goes&& goes) {
    for (typename Table::Slot slot = 0; slot < table_.slots(); ++slot)
      if (table_.used(slot) && goes(table_.key(slot))) erase(slot);
  }

  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] size_t items() const { return items_; }
  [[nodiscard]] uint64_t evicted() const { return evicted_; }

 private:
  using Table = SeededTable<Key, List>;
  static constexpr size_t items_per_key = 16;  // on average, at most

  [[nodiscard]] size_t most_items() const { return most_keys_ * items_per_key; }
  void erase(typename Table::Slot slot) {
    items_ -= table_.value(slot).size();
    table_.erase(slot);
  }
  void evict() {
    erase(table_.next_to_go([](const List& a, const List& b) { return a.back().at < b.back().at; }));
    ++evicted_;
  }

  Table table_;
  uint32_t most_keys_;
  size_t items_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace palang
