#include "base/seeded_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace palang {
namespace {

struct Key {
  uint64_t number = 0;
  friend bool operator==(const Key&, const Key&) = default;
};
uint64_t hash_key(HashSeed seed, const Key& key) {
  return hash_words(seed, key.number, 7);
}

using Table = SeededTable<Key, uint64_t>;

// A hash that puts all keys into a few runs of cells.
struct Clash {
  uint64_t number = 0;
  friend bool operator==(const Clash&, const Clash&) = default;
};
uint64_t hash_key(HashSeed, const Clash& key) {
  return (key.number % 3) << 32 | (key.number % 5);
}

template <typename Key>
void expect_same(const SeededTable<Key, uint64_t>& table, const std::map<uint64_t, uint64_t>& reference) {
  ASSERT_EQ(table.size(), reference.size());
  for (const auto& [number, value] : reference) {
    const uint64_t* found = table.get(Key{number});
    ASSERT_NE(found, nullptr) << number;
    EXPECT_EQ(*found, value);
  }
  size_t visited = 0;
  table.for_each([&](const Key& key, uint64_t) { visited += reference.count(key.number); });
  EXPECT_EQ(visited, reference.size());
}

template <typename Key>
void compare_with_map(uint64_t keys, HashSeed hash_seed) {
  std::mt19937_64 random(20250112);
  SeededTable<Key, uint64_t> table(hash_seed);
  std::map<uint64_t, uint64_t> reference;
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t number = random() % keys;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const auto [slot, is_new] = table.find_or_insert(Key{number});
        ASSERT_EQ(is_new, !reference.contains(number));
        ASSERT_TRUE(!is_new || table.value(slot) == 0) << "a reused slot begins with a fresh value";
        table.value(slot) = reference[number] = random();
        break;
      }
      case 4:
      case 5: {
        const auto slot = table.find(Key{number});
        ASSERT_EQ(slot == (SeededTable<Key, uint64_t>::none), !reference.contains(number));
        if (slot != (SeededTable<Key, uint64_t>::none)) table.erase(slot);
        reference.erase(number);
        break;
      }
      case 6: {
        const size_t before = table.size();
        table.evict_one([](uint64_t a, uint64_t b) { return a < b; });
        ASSERT_EQ(table.size(), before - (before > 0 ? 1 : 0));
        std::erase_if(reference, [&](const auto& entry) { return table.get(Key{entry.first}) == nullptr; });
        break;
      }
      default: ASSERT_EQ(table.get(Key{number}) != nullptr, reference.contains(number));
    }
    if (step % 1000 == 0) expect_same(table, reference);
  }
  expect_same(table, reference);
  table.clear();
  expect_same(table, {});
}

TEST(SeededTable, DoesWhatAMapDoes) {
  compare_with_map<Key>(500, HashSeed{});
  compare_with_map<Key>(20'000, HashSeed::random());
}

TEST(SeededTable, DoesWhatAMapDoesWhereEverythingCollides) {
  compare_with_map<Clash>(200, HashSeed{});
}

TEST(SeededTable, KeepsSlotsWhileItGrows) {
  Table table(HashSeed::random());
  const auto slot = table.find_or_insert(Key{1}).first;
  table.value(slot) = 42;
  for (uint64_t i = 2; i < 5000; ++i) table.find_or_insert(Key{i});
  table.reserve(100'000);
  EXPECT_EQ(table.find(Key{1}), slot);
  EXPECT_EQ(table.value(slot), 42U);
  EXPECT_EQ(table.key(slot), Key{1});
}

TEST(SeededTable, EvictsTheOldestOfAFew) {
  Table table(HashSeed{});
  for (uint64_t i = 0; i < 10; ++i) table.value(table.find_or_insert(Key{i}).first) = 100 - i;
  table.evict_one([](uint64_t a, uint64_t b) { return a < b; });
  EXPECT_EQ(table.size(), 9U);
  EXPECT_EQ(table.get(Key{9}), nullptr) << "of so few, all are looked at";
}

TEST(SeededTable, EvictionComesCloseToLeastRecentlyUsed) {
  constexpr uint64_t room = 1000;
  Table table(HashSeed{});
  for (uint64_t now = 0; now < room * 10; ++now) {
    if (table.size() >= room) table.evict_one([](uint64_t a, uint64_t b) { return a < b; });
    table.value(table.find_or_insert(Key{now}).first) = now;
  }
  table.for_each([&](const Key&, uint64_t born) { EXPECT_GT(born, room * 10 - room * 5 / 4); });
}

TEST(Promise5, HashesDependOnTheSeed) {
  const HashSeed one = HashSeed::random();
  const HashSeed other = HashSeed::random();
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) same += hash_words(one, i, 0) % 1024 == hash_words(other, i, 0) % 1024 ? 1 : 0;
  EXPECT_LT(same, 50);
}

}  // namespace
}  // namespace palang
