// The tables of bans, by what the program sees of them.
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>

#include "xdp_packets.hpp"

namespace palang::testing {
namespace {

std::string text_of(uint32_t address) {
  return Address::v4(address).text();
}

class XdpBans : public Gatekeeper {
 protected:
  void SetUp() override {
    Gatekeeper::SetUp();
    if (!enforcer_) return;
    auto clock = XdpClock::open(enforcer_->program().clock());
    ASSERT_TRUE(clock);
    const auto reading = clock->read(now_);
    ASSERT_TRUE(reading);
    units_ = reading->units();
    auto table = XdpTable::open(enforcer_->program());
    ASSERT_TRUE(table) << table.error().text;
    table_.emplace(std::move(*table));
  }
  // A word written as it is, which no ban from outside could be: over, or about to be moved.
  void write(const std::string& prefix, uint32_t end, uint32_t flags) {
    ASSERT_TRUE(table_->put(make::prefix(prefix), end << PALANG_END_SHIFT | flags, units_));
  }
  uint32_t end_of(const std::string& prefix) { return table_->find(make::prefix(prefix)).word >> PALANG_END_SHIFT; }

  uint32_t units_ = 0;
  std::optional<XdpTable> table_;
};

constexpr uint32_t knock_of_one_doubling = 2U << PALANG_KNOCK_SHIFT;

TEST_F(XdpBans, AreOverAtTheirEnd) {
  for (const char* const prefix : {"198.51.100.7", "203.0.113.0/24", "2001:db8:9::/64"}) {
    const std::string source = Prefix::parse(prefix)->address().text();
    write(prefix, units_, PALANG_FULL);
    EXPECT_TRUE(passes(Frame{.from = source})) << prefix;
    write(prefix, units_ + 60, PALANG_FULL);
    EXPECT_TRUE(drops({.from = source})) << prefix;
    write(prefix, units_ - 1, PALANG_FULL);
    EXPECT_TRUE(passes(Frame{.from = source})) << prefix;
  }
  EXPECT_TRUE(enforcer_->held(now_)->empty());
}

TEST_F(XdpBans, AreMovedByAKnockOfAQuietOne) {
  const uint32_t four_days = enforcer_->table().settings().knock_units[2];
  for (const char* const prefix : {"198.51.100.7", "203.0.113.0/24", "2001:db8:9::/64"}) {
    const std::string source = Prefix::parse(prefix)->address().text();
    write(prefix, units_ + 100, knock_of_one_doubling);
    EXPECT_TRUE(drops({.from = source}));
    EXPECT_NEAR(end_of(prefix), units_ + four_days, 2) << prefix;
    const uint32_t moved = end_of(prefix);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(drops({.from = source}));
    EXPECT_EQ(end_of(prefix), moved) << "a store only where it gains something";
  }
}

TEST_F(XdpBans, AreNotMovedByAKnockWhereThePolicySaysSo) {
  write("198.51.100.7", units_ + 100, 0);
  write("198.51.100.8", units_ + 100, PALANG_FULL);
  write("198.51.100.9", units_ + 100'000'000, knock_of_one_doubling);
  EXPECT_TRUE(drops({.from = "198.51.100.7"}));
  EXPECT_TRUE(drops({.from = "198.51.100.8"}));
  EXPECT_TRUE(drops({.from = "198.51.100.9"}));
  EXPECT_EQ(end_of("198.51.100.7"), units_ + 100);
  EXPECT_EQ(end_of("198.51.100.8"), units_ + 100);
  EXPECT_EQ(end_of("198.51.100.9"), units_ + 100'000'000) << "never nearer";
}

TEST_F(XdpBans, KnocksDoubleWithEachRepeatUpToTheLongestBan) {
  const uint32_t day = enforcer_->table().settings().knock_units[1] / 2;
  const std::vector<uint32_t> days{2, 4, 8, 16, 28, 28, 28};
  for (uint8_t repeat = 0; repeat < 7; ++repeat) {
    apply(ChangeKind::added, "198.51.100.7", Scope::quiet, 1h, repeat);
    EXPECT_TRUE(drops({}));
    const auto held = enforcer_->held(now_);
    ASSERT_TRUE(held && held->size() == 1);
    EXPECT_NEAR(static_cast<double>((held->front().until - now_).count()), days[repeat] * 86'400e6, 4e6) << +repeat;
    EXPECT_EQ(held->front().knock, repeat + 1);
  }
  EXPECT_GT(day, 80'000U);
}

TEST_F(XdpBans, OfAnAdminAreNotMovedByAKnock) {
  Change change;
  change.decision.prefix = make::prefix("198.51.100.7");
  change.decision.until = now_ + 1h;
  change.decision.origin = Origin::manual;
  ASSERT_TRUE(enforcer_->apply({&change, 1}, now_));
  EXPECT_TRUE(drops({}));
  EXPECT_LE(enforcer_->held(now_)->front().until, now_ + 1h + 2s);
}

TEST_F(XdpBans, HoldTheirEndToASecond) {
  for (const Duration length : {Duration{1s}, Duration{90s}, Duration{24h}, one_day * 28, one_day * 365}) {
    ban("198.51.100.7", Scope::full, length);
    const auto held = enforcer_->held(now_);
    ASSERT_TRUE(held && held->size() == 1);
    EXPECT_GE(held->front().until, now_ + length - 10ms);
    EXPECT_LE(held->front().until, now_ + length + 1100ms);
  }
  ban("198.51.100.7", Scope::full, one_day * 365 * 100);
  EXPECT_GT(enforcer_->held(now_)->front().until, now_ + one_day * 365 * 7);
}

TEST_F(XdpBans, AreKeptByReconcileAndNothingElseIs) {
  ban("198.51.100.1");
  ban("198.51.100.2");
  ban("198.51.100.0/24");
  ban("2001:db8:9::1");
  Intended intended;
  intended.bans = {{make::prefix("198.51.100.2"), Scope::full, now_ + one_day},
                   {make::prefix("198.51.100.3"), Scope::full, now_ + one_day},
                   {make::prefix("2001:db8:9::1"), Scope::quiet, now_ + one_day, 1},
                   {make::prefix("2001:db8:9::/48"), Scope::quiet, now_ + one_day},
                   {make::prefix("198.51.100.4"), Scope::full, now_ - 1s}};
  auto report = reconcile(intended, Enforcer::Extra::keep);
  EXPECT_EQ(report.added, 2U);
  EXPECT_EQ(report.refreshed, 1U);
  EXPECT_EQ(report.removed, 0U);
  report = reconcile(intended);
  EXPECT_EQ(report.added + report.refreshed, 0U);
  EXPECT_EQ(report.removed, 2U);
  report = reconcile(intended);
  EXPECT_EQ(report.added + report.refreshed + report.removed, 0U) << "twice changes nothing";
  EXPECT_EQ(enforcer_->held(now_)->size(), 4U);
  EXPECT_TRUE(passes(Frame{.from = "198.51.100.1"}));
  EXPECT_EQ(verdict_on(Frame{.from = "198.51.100.2"}), "dropped, full ban");
}

TEST_F(XdpBans, ThatKnocksHaveMovedAreLeftByReconcile) {
  Intended intended;
  intended.bans = {{make::prefix("198.51.100.7"), Scope::quiet, now_ + 1h, 1}};
  reconcile(intended);
  EXPECT_TRUE(drops({}));
  EXPECT_EQ(reconcile(intended).refreshed, 0U);
  EXPECT_GT(enforcer_->held(now_)->front().until, now_ + one_day);
}

TEST_F(XdpBans, AreTakenOverByTheNextEnforcer) {
  ban("198.51.100.7", Scope::full);
  ban("203.0.113.0/24");
  ban("2001:db8:9::/64");
  auto next = XdpTable::open(enforcer_->program());
  ASSERT_TRUE(next) << next.error().text;
  EXPECT_EQ(next->size(), 3U);
  EXPECT_NE(next->find(make::prefix("198.51.100.7")).word, 0U);
  EXPECT_NE(next->find(make::prefix("203.0.113.0/24")).word, 0U);
  EXPECT_NE(next->find(make::prefix("2001:db8:9::/64")).word, 0U);
}

uint32_t scattered(uint32_t i) {
  return i * 2654435761U;
}
uint32_t number(std::mt19937& random, uint32_t below) {
  return static_cast<uint32_t>(random() % below);
}

// A lookup that meets the table while it grows finds every ban that was in it before.
TEST_F(XdpBans, StandWhileTheTableGrows) {
  for (uint32_t i = 1; i <= 100; ++i) ban(text_of(scattered(i)), Scope::full);
  std::atomic<bool> done = false;
  std::atomic<uint64_t> passed = 0;
  std::atomic<uint64_t> asked = 0;
  std::thread packets([&] {
    const Inside inside(namespace_);
    for (uint32_t i = 0; !done; ++i, ++asked)
      if (!drops({.from = text_of(scattered(i % 100 + 1))})) ++passed;
  });
  const uint64_t before = enforcer_->table().bytes();
  std::vector<Change> changes;
  for (uint32_t i = 101; i <= 200'000; ++i) {
    Change change;
    change.decision.prefix = Prefix::of(Address::v4(scattered(i)));
    change.decision.until = now_ + one_day;
    changes.push_back(change);
  }
  const auto applied = enforcer_->apply(changes, now_);
  done = true;
  packets.join();
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_GT(enforcer_->table().bytes(), before + 3'000'000);
  EXPECT_EQ(passed, 0U) << "of " << asked;
  EXPECT_GT(asked, 10U);
  EXPECT_EQ(enforcer_->held(now_)->size(), 200'000U);
}

TEST_F(XdpBans, AreFoundAmongTwoMillion) {
  constexpr uint32_t many = 2'000'000;
  Intended intended;
  intended.bans.emplace();
  for (uint32_t i = 1; i <= many; ++i)
    intended.bans->push_back({Prefix::of(Address::v4(scattered(i))), Scope::full, now_ + one_day});
  EXPECT_EQ(reconcile(intended).added, many);
  EXPECT_EQ(enforcer_->table().size(), many);
  EXPECT_LE(enforcer_->table().bytes(), 64'000'000U);
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    EXPECT_TRUE(drops({.from = text_of(scattered(1 + number(random, many)))}));
    EXPECT_TRUE(passes(Frame{.from = text_of(scattered(many + 1 + number(random, many)))}));
  }
  const auto held = enforcer_->held(now_);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->size(), many);
  // Every second goes, one by one; the others stay.
  std::vector<Change> lifts;
  for (uint32_t i = 1; i <= many; i += 2) {
    Change change;
    change.kind = ChangeKind::lifted;
    change.decision.prefix = Prefix::of(Address::v4(scattered(i)));
    lifts.push_back(change);
  }
  ASSERT_TRUE(enforcer_->apply(lifts, now_));
  for (uint32_t i = 1; i < many; i += 1111) EXPECT_EQ(passes(Frame{.from = text_of(scattered(i))}), i % 2 == 1) << i;
  EXPECT_EQ(enforcer_->table().size(), many / 2);
}

// Random bans, moves and lifts, against a plain set; the table is small, so that buckets overflow and empty again.
TEST_F(XdpBans, AgreeWithASimpleSetWhateverHappens) {
  std::map<uint32_t, bool> banned;
  std::mt19937 random(5);
  for (int step = 0; step < 60'000; ++step) {
    const uint32_t address = scattered(1 + number(random, 20'000));
    Change change;
    change.kind = random() % 3 == 0 ? ChangeKind::lifted : ChangeKind::added;
    change.decision.prefix = Prefix::of(Address::v4(address));
    change.decision.scope = random() % 2 == 0 ? Scope::full : Scope::quiet;
    change.decision.until = now_ + one_day;
    ASSERT_TRUE(enforcer_->apply({&change, 1}, now_));
    if (change.kind == ChangeKind::lifted)
      banned.erase(address);
    else
      banned[address] = change.decision.scope == Scope::full;
  }
  EXPECT_EQ(enforcer_->table().size(), banned.size());
  for (uint32_t i = 1; i <= 20'000; ++i) {
    const auto known = banned.find(scattered(i));
    const uint32_t word = enforcer_->table().find(Prefix::of(Address::v4(scattered(i)))).word;
    ASSERT_EQ(word != 0, known != banned.end()) << i;
    if (word != 0) {
      ASSERT_EQ((word & PALANG_FULL) != 0, known->second) << i;
    }
    if (i % 20 == 0) {
      ASSERT_EQ(drops({.from = text_of(scattered(i))}), known != banned.end()) << i;
    }
  }
}

TEST_F(XdpBans, ThatAreOverAreSweptOut) {
  for (uint32_t i = 1; i <= 1000; ++i) write(text_of(scattered(i)), i % 2 == 0 ? units_ + 500 : units_, PALANG_FULL);
  for (uint32_t i = 0; i < 50; ++i) write("2001:db8:" + std::to_string(i + 1) + "::/64", units_, PALANG_FULL);
  for (uint32_t second = 1; second <= 4; ++second) ASSERT_TRUE(table_->sweep(4, units_ + second));
  EXPECT_EQ(table_->size(), 500U);
  for (uint32_t i = 2; i <= 1000; i += 2) EXPECT_TRUE(drops({.from = text_of(scattered(i))}));
}

// Bans without number come and go; the gate is tidied up, and the one that stays stands.
TEST_F(XdpBans, StayWhileTheGateIsTidiedUp) {
  write("198.51.100.7", units_ + 1000, PALANG_FULL);
  write("203.0.113.0/24", units_ + 1000, PALANG_FULL);
  for (uint32_t i = 1; i <= 10'000; ++i) write(text_of(scattered(i)), units_ + 100, PALANG_FULL);
  for (uint32_t i = 1; i <= 10'000; ++i) ASSERT_TRUE(*table_->remove(Prefix::of(Address::v4(scattered(i)))));
  ASSERT_TRUE(table_->sweep(1, units_ + 1));
  EXPECT_TRUE(drops({.from = "198.51.100.7"}));
  EXPECT_TRUE(drops({.from = "203.0.113.99"}));
  EXPECT_TRUE(passes(Frame{.from = text_of(scattered(1))}));
}

}  // namespace
}  // namespace palang::testing
