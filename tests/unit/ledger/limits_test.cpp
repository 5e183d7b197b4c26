#include <gmock/gmock.h>

#include "ledger/schema.hpp"
#include "ledger/writer.hpp"
#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

class Limits : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    {
      const OpenedLedger opened = open();
    }
    auto database = Database::open(path_, Database::Mode::write);
    ASSERT_TRUE(database) << database.error().text;
    database_.emplace(std::move(*database));
  }

  [[nodiscard]] Writer writer(const LedgerLimits& limits) {
    auto prepared = Writer::prepare(*database_, limits);
    EXPECT_TRUE(prepared) << prepared.error().text;
    return std::move(*prepared);
  }

  static LedgerBatch evidence(uint32_t first_address, int count, WallTime at, uint32_t step = 1) {
    LedgerBatch batch;
    for (int i = 0; i < count; ++i)
      batch.evidence.push_back(
          {at + Duration{i}, Address::v4(first_address + static_cast<uint32_t>(i) * step), Rule::blocked, "line"});
    return batch;
  }

  void apply(Writer& writer, const LedgerBatch& batch) {
    auto transaction = Transaction::begin(*database_);
    ASSERT_TRUE(transaction) << transaction.error().text;
    const auto applied = writer.apply(batch);
    ASSERT_TRUE(applied) << applied.error().text;
    ASSERT_TRUE(transaction->commit());
  }

  // Rounds of tidying until nothing is left to do, bounded.
  void tidy(Writer& writer, WallTime now) {
    for (int round = 0; round < 100; ++round) {
      const auto more = writer.tidy(now);
      ASSERT_TRUE(more) << more.error().text;
      if (!*more) return;
    }
    FAIL() << "tidying doesn't come to an end";
  }

  std::optional<Database> database_;
};

TEST_F(Limits, EvidenceOfOneAddressIsBounded) {
  LedgerLimits limits;
  limits.evidence_per_source = 20;
  Writer writes = writer(limits);
  apply(writes, evidence(0xc6120001, 1000, noon, 0));
  const int64_t rows = number("SELECT count(*) FROM evidence");
  EXPECT_GE(rows, 20);
  EXPECT_LE(rows, 20 + 16);
  EXPECT_EQ(number("SELECT max(at) FROM evidence"), (noon + 999us).time_since_epoch().count()) << "the newest stay";
  EXPECT_EQ(writes.take_pruned().evidence, 1000U - static_cast<uint64_t>(rows));
}

TEST_F(Limits, EvidenceOfOneIpv6NetworkIsBoundedHoweverManyAddressesItUses) {
  LedgerLimits limits;
  limits.evidence_per_source = 20;
  Writer writes = writer(limits);
  LedgerBatch batch;
  for (uint64_t i = 0; i < 1000; ++i)
    batch.evidence.push_back({noon, Address::from_words(0x20010db800000007, i), Rule::blocked, "line"});
  apply(writes, batch);
  EXPECT_LE(number("SELECT count(*) FROM evidence"), 20 + 16);
}

TEST_F(Limits, EvidenceIsBoundedInAllTheOldestGoFirst) {
  LedgerLimits limits;
  limits.evidence_rows = 1000;
  Writer writes = writer(limits);
  for (uint32_t i = 0; i < 30; ++i) {
    apply(writes, evidence(0xc6120000 + i * 100, 100, noon + i * 1s));
    EXPECT_LE(number("SELECT count(*) FROM evidence"), 1000);
  }
  EXPECT_GE(number("SELECT count(*) FROM evidence"), 900);
  EXPECT_EQ(
      number("SELECT count(*) FROM evidence WHERE at >= " + std::to_string((noon + 21s).time_since_epoch().count())),
      900);
  EXPECT_GE(writes.take_pruned().evidence, 2000U);
}

TEST_F(Limits, HistoryIsBoundedAndActiveDecisionsAreNotTouched) {
  LedgerLimits limits;
  limits.history_rows = 500;
  Writer writes = writer(limits);
  apply(writes, added(decision(1, "192.0.2.1", noon - one_day * 80, one_day * 100)));
  for (uint64_t round = 0; round < 20; ++round) {
    LedgerBatch batch;
    for (uint64_t i = 0; i < 100; ++i) {
      const uint64_t id = 2 + round * 100 + i;
      const Decision over = decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text());
      batch.changes.push_back(change(ChangeKind::added, over));
      batch.changes.push_back(change(ChangeKind::lifted, over, noon + id * 1s));
    }
    apply(writes, batch);
    EXPECT_LE(number("SELECT count(*) FROM decisions WHERE ended_at IS NOT NULL"), 500);
  }
  EXPECT_GE(number("SELECT count(*) FROM decisions WHERE ended_at IS NOT NULL"), 450);
  EXPECT_EQ(number("SELECT count(*) FROM decisions WHERE ended_at IS NULL"), 1);
  EXPECT_EQ(number("SELECT max(id) FROM decisions"), 2001);
}

TEST_F(Limits, WhatIsTooOldGoesInPortions) {
  Writer writes = writer({});
  LedgerBatch batch = evidence(0xc6120000, 1200, noon - one_day * 91);
  for (uint64_t id = 1; id <= 1200; ++id) {
    const Decision old = decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text(), noon - one_day * 95);
    batch.changes.push_back(change(ChangeKind::ended, old, old.until));
    batch.pending.push_back({Rule::blocked, old.prefix, {noon - one_day * 91}, {}});
  }
  apply(writes, batch);
  LedgerBatch young = evidence(0xc6130000, 10, noon - one_day);
  young.changes = {change(ChangeKind::added, decision(1201, "192.0.2.1", noon - one_day * 200, one_day * 300))};
  young.pending = {{Rule::blocked, Prefix::of(address("192.0.2.5")), {noon - one_day * 200, noon}, {}}};
  young.allowed = {{prefix("203.0.113.1"), noon - one_day, noon - 1s, ""},
                   {prefix("203.0.113.2"), noon, noon + 1s, ""}};
  apply(writes, young);

  const auto more = writes.tidy(noon);
  ASSERT_TRUE(more) << more.error().text;
  EXPECT_TRUE(*more);
  EXPECT_GE(number("SELECT count(*) FROM evidence"), 500) << "not all at once";
  tidy(writes, noon);
  EXPECT_EQ(number("SELECT count(*) FROM evidence"), 10);
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM pending"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM allowed"), 1);
}

TEST_F(Limits, TheNewestIdIsNeverGivenTwice) {
  Writer writes = writer({});
  const Decision old = decision(41, "192.0.2.1", noon - one_day * 200);
  apply(writes, batch_of({change(ChangeKind::ended, old, old.until)}));
  tidy(writes, noon);
  database_.reset();
  EXPECT_EQ(open().snapshot.last_id, 41U);
}

}  // namespace
}  // namespace palang
