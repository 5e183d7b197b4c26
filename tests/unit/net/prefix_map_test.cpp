#include "net/prefix_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::prefix;

// Addresses of few networks, so that prefixes nest and meet.
Address some_address(std::mt19937_64& random) {
  if (random() % 2 == 0) return Address::v4(static_cast<uint32_t>(0xc6120000 | (random() & 0x0303)));
  return Address::from_words(0x20010db800000000 | (random() & 0x0303), random() & 0x3);
}

Prefix some_prefix(std::mt19937_64& random) {
  static constexpr unsigned v4[] = {0, 16, 22, 24, 30, 32};
  static constexpr unsigned v6[] = {0, 32, 48, 56, 64, 126, 128};
  const Address inside = some_address(random);
  return Prefix::of_length(inside, inside.is_v4() ? v4[random() % 6] : v6[random() % 7]);
}

// The longest of the same family that holds all of `inner` and has an even value.
std::optional<Prefix> longest_even(const std::map<Prefix, int>& all, const Prefix& inner) {
  std::optional<Prefix> best;
  for (const auto& [candidate, value] : all)
    if (value % 2 == 0 && candidate.is_v4() == inner.is_v4() && candidate.contains(inner) &&
        (!best || candidate.bits() > best->bits()))
      best = candidate;
  return best;
}

TEST(PrefixMap, FindsWhatALinearSearchFinds) {
  std::mt19937_64 random(7);
  PrefixMap<int> map(HashSeed::random());
  std::map<Prefix, int> reference;
  const auto even = [](int value) { return value % 2 == 0; };
  for (int step = 0; step < 20'000; ++step) {
    const Prefix one = some_prefix(random);
    if (random() % 3 == 0) {
      const auto slot = map.find(one);
      ASSERT_EQ(slot != PrefixMap<int>::none, reference.erase(one) == 1);
      if (slot != PrefixMap<int>::none) map.erase(slot);
    } else {
      map.value(map.find_or_insert(one).first) = reference[one] = static_cast<int>(random() % 10);
    }
    ASSERT_EQ(map.size(), reference.size());
    const Prefix asked = random() % 2 == 0 ? some_prefix(random) : Prefix::of(some_address(random));
    const auto found = map.find_covering(asked, even);
    const auto wanted = longest_even(reference, asked);
    ASSERT_EQ(found == PrefixMap<int>::none, !wanted) << asked.text();
    ASSERT_TRUE(!wanted || map.key(found) == *wanted) << asked.text();
  }
}

TEST(PrefixMap, KeepsTheFamiliesApart) {
  PrefixSet set;
  set.insert(prefix("::/0"));
  EXPECT_TRUE(set.contains(address("2001:db8::1")));
  EXPECT_FALSE(set.contains(address("192.0.2.1")));
  set.insert(prefix("0.0.0.0/0"));
  EXPECT_TRUE(set.contains(address("192.0.2.1")));
  EXPECT_EQ(set.size(), 2U);
  set.clear();
  EXPECT_FALSE(set.contains(address("192.0.2.1")));
}

TEST(PrefixLengths, KnowWhetherALongerOneIsInUse) {
  PrefixLengths lengths;
  lengths.add(prefix("198.51.100.1"));
  lengths.add(prefix("198.51.100.2"));
  EXPECT_TRUE(lengths.has_longer_than(prefix("198.51.100.0/24")));
  EXPECT_FALSE(lengths.has_longer_than(prefix("198.51.100.1")));
  EXPECT_FALSE(lengths.has_longer_than(prefix("2001:db8::/32"))) << "another family";
  lengths.remove(prefix("198.51.100.1"));
  EXPECT_TRUE(lengths.has_longer_than(prefix("198.51.100.0/24"))) << "one is left";
  lengths.remove(prefix("198.51.100.2"));
  EXPECT_FALSE(lengths.has_longer_than(prefix("198.51.100.0/24")));
}

}  // namespace
}  // namespace palang
