#include "decide/agenda.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;

// Near and far, the same minute and the same moment, even the past.
Duration some_delay(std::mt19937_64& random) {
  switch (random() % 5) {
    case 0: return Duration{static_cast<int64_t>(random() % 120'000'000)};
    case 1: return Duration{1min} * static_cast<int64_t>(random() % 60);
    case 2: return one_day * static_cast<int64_t>(random() % 200);
    case 3: return Duration{1s} * static_cast<int64_t>(random() % (70 * 86400));
    default: return -Duration{1s} * static_cast<int64_t>(random() % 100);
  }
}

TEST(Agenda, GivesBackInOrderOfTime) {
  std::mt19937_64 random(20250112);
  for (int round = 0; round < 20; ++round) {
    Agenda agenda;
    std::multimap<WallTime, uint32_t> reference;
    WallTime now = noon;
    for (int step = 0; step < 1000; ++step) {
      for (uint64_t i = 0; i < random() % 4; ++i) {
        const WallTime when = now + some_delay(random);
        const auto slot = static_cast<uint32_t>(random() % 1000);
        agenda.add({.when = when, .slot = slot});
        reference.emplace(when, slot);
      }
      const auto next = agenda.next();
      ASSERT_EQ(next.has_value(), !reference.empty());
      ASSERT_TRUE(!next || *next <= reference.begin()->first) << "who asks again then is never late";
      if (random() % 4 == 0) now += some_delay(random) / 10;
      while (const auto entry = agenda.take(now)) {
        ASSERT_FALSE(reference.empty());
        ASSERT_EQ(entry->when, reference.begin()->first);
        ASSERT_LE(entry->when, now);
        const auto [first, last] = reference.equal_range(entry->when);
        const auto same = std::find_if(first, last, [&](const auto& one) { return one.second == entry->slot; });
        ASSERT_NE(same, last);
        reference.erase(same);
      }
      ASSERT_TRUE(reference.empty() || reference.begin()->first > now);
      ASSERT_EQ(agenda.size(), reference.size());
    }
  }
}

TEST(Agenda, KnowsWhatIsNextHoweverFar) {
  Agenda agenda;
  EXPECT_FALSE(agenda.next());
  EXPECT_FALSE(agenda.take(noon));
  agenda.add({.when = noon + one_day * 70, .slot = 1});  // beyond the horizon now
  EXPECT_FALSE(agenda.take(noon + one_day * 40));
  agenda.add({.when = noon + one_day * 90, .slot = 2});  // within it then
  EXPECT_LE(agenda.next(), noon + one_day * 70);
  EXPECT_FALSE(agenda.take(noon + one_day * 70 - 1us));
  EXPECT_EQ(agenda.take(noon + one_day * 70)->slot, 1U);
}

TEST(Agenda, BeginsAnew) {
  Agenda agenda;
  for (const Duration delay : {Duration{0}, Duration{5min}, one_day * 100})
    agenda.add({.when = noon + delay, .slot = 1});
  agenda.clear();
  EXPECT_EQ(agenda.size(), 0U);
  EXPECT_FALSE(agenda.next());
  EXPECT_FALSE(agenda.take(noon + one_day * 200));
}

}  // namespace
}  // namespace palang
