#include <gmock/gmock.h>
#include <sys/wait.h>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Trouble = LedgerTest;

// Somebody else (an admin's sqlite3 shell) is in the middle of a transaction.
class Occupied {
 public:
  explicit Occupied(const std::string& path) : database_(Database::open(path, Database::Mode::write).value()) {
    EXPECT_TRUE(database_.execute("BEGIN IMMEDIATE"));
  }
  void leave() { EXPECT_TRUE(database_.execute("COMMIT")); }

 private:
  Database database_;
};

TEST_F(Trouble, ALockedLedgerIsReportedAndMadeUpForWhenItIsFree) {
  const OpenedLedger opened = open();
  opened.ledger->commit(added(decision(1, "192.0.2.1")));
  ASSERT_SAVED(*opened.ledger);
  Occupied occupied(path_);
  opened.ledger->commit(added(decision(2, "192.0.2.2")));
  opened.ledger->commit(added(decision(3, "192.0.2.3")));
  const auto told = opened.ledger->barrier(patience);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().text,
            "save to the ledger: write to " + path_ + ": database is locked (SQLITE_BUSY); 2 batches wait");
  const LedgerHealth health = opened.ledger->health();
  EXPECT_THAT(health.trouble, HasSubstr("SQLITE_BUSY"));
  EXPECT_EQ(health.queued_batches, 2U);
  EXPECT_GT(health.queued_bytes, 0U);

  occupied.leave();
  ASSERT_SAVED(*opened.ledger);
  EXPECT_THAT(opened.ledger->health().trouble, IsEmpty());
  EXPECT_EQ(opened.ledger->health().queued_batches, 0U);
  EXPECT_FALSE(opened.ledger->needs_resync());
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 3);
}

TEST_F(Trouble, WhatWaitedIsWrittenWithoutAnyoneAsking) {
  const OpenedLedger opened = open();
  Occupied occupied(path_);
  opened.ledger->commit(added(decision(1, "192.0.2.1")));
  ASSERT_TRUE(eventually(*opened.ledger, [](const LedgerHealth& health) { return !health.trouble.empty(); }));
  occupied.leave();
  ASSERT_TRUE(eventually(*opened.ledger, [](const LedgerHealth& health) { return health.trouble.empty(); }));
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1);
}

TEST_F(Trouble, FlushSaysWhatIsNotSavedWhenItsTimeIsOver) {
  const OpenedLedger opened = open();
  Occupied occupied(path_);
  opened.ledger->commit(added(decision(1, "192.0.2.1")));
  const auto saved = opened.ledger->flush(20ms);
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().text, HasSubstr("1 batch waits"));
  occupied.leave();
}

TEST_F(Trouble, AnOverflowDropsWhatWaitsAndAsksForEverythingOnceItCanBeWritten) {
  LedgerLimits limits = quick_limits();
  limits.queue_bytes = 20'000;
  Decision last;
  {
    const OpenedLedger opened = open(noon, limits);
    opened.ledger->commit(added(decision(1, "192.0.2.1")));
    ASSERT_SAVED(*opened.ledger);
    Occupied occupied(path_);
    for (uint64_t id = 2; id <= 200; ++id) {
      last = decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text());
      LedgerBatch batch = added(last);
      batch.positions = {{"kmsg", std::to_string(id)}};
      opened.ledger->commit(std::move(batch));
      EXPECT_LE(opened.ledger->health().queued_bytes, limits.queue_bytes);
    }
    EXPECT_GT(opened.ledger->health().dropped, 0U);
    EXPECT_FALSE(opened.ledger->needs_resync()) << "not while it would wait in the queue";
    const auto told = opened.ledger->barrier(patience);
    ASSERT_FALSE(told);
    EXPECT_THAT(told.error().text, HasSubstr("what waited had to be dropped"));

    occupied.leave();
    ASSERT_TRUE(eventually(*opened.ledger, [&](const LedgerHealth&) { return opened.ledger->needs_resync(); }));
    Resync whole;
    whole.at = noon;
    whole.active = {last};
    whole.positions = {{"kmsg", "200"}};
    opened.ledger->replace(std::move(whole));
    opened.ledger->commit(added(decision(201, "192.0.2.201")));
    ASSERT_SAVED(*opened.ledger);
    EXPECT_FALSE(opened.ledger->needs_resync());
  }
  const Snapshot found = open().snapshot;
  EXPECT_EQ(described(found.active), described({last, decision(201, "192.0.2.201")}));
  ASSERT_THAT(found.positions, SizeIs(1));
  EXPECT_EQ(found.positions[0].value, "200");
}

TEST_F(Trouble, AReaderIsAskedToPauseUntilTheQueueIsShortAgain) {
  LedgerLimits limits = quick_limits();
  limits.queue_bytes = 4 << 20;
  const OpenedLedger opened = open(noon, limits);
  EXPECT_FALSE(opened.ledger->behind());
  uint64_t id = 0;
  while (!opened.ledger->behind() && id < 100'000) {
    LedgerBatch batch;
    for (int i = 0; i < 100; ++i) {
      ++id;
      batch.changes.push_back(
          change(ChangeKind::added, decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text())));
    }
    opened.ledger->commit(std::move(batch));
  }
  ASSERT_TRUE(opened.ledger->behind());
  EXPECT_TRUE(eventually(*opened.ledger, [&](const LedgerHealth&) { return !opened.ledger->behind(); }));
  ASSERT_SAVED(*opened.ledger);
  EXPECT_EQ(opened.ledger->health().dropped, 0U);
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), static_cast<int64_t>(id));
}

TEST_F(Trouble, TheLastBatchesAreWrittenWhenTheLedgerIsClosed) {
  {
    const OpenedLedger opened = open();
    for (uint64_t id = 1; id <= 50; ++id)
      opened.ledger->commit(added(decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text())));
  }
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 50);
}

TEST_F(Trouble, ManyWaitingBatchesBecomeOneTransaction) {
  const OpenedLedger opened = open();
  Occupied occupied(path_);
  for (uint64_t id = 1; id <= 500; ++id)
    opened.ledger->commit(added(decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text())));
  const uint64_t before = opened.ledger->health().commits;
  occupied.leave();
  ASSERT_SAVED(*opened.ledger);
  EXPECT_LE(opened.ledger->health().commits - before, 3U);
  EXPECT_EQ(opened.ledger->health().batches, 500U);
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 500);
}

TEST_F(Trouble, ASecondDaemonIsToldWhoUsesTheLedger) {
  const OpenedLedger opened = open();
  const auto second = open_ledger(path_, noon, one_day);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "another palang (pid " + std::to_string(::getpid()) + ") uses the ledger " + path_);
}

TEST_F(Trouble, ALockOfADeadDaemonIsNoLock) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto opened = open_ledger(path_, noon, one_day);
    if (opened) opened->ledger->commit(added(decision(1, "192.0.2.1")));
    ::_exit(opened && opened->ledger->barrier(patience) ? 0 : 1);  // without closing anything
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_THAT(open().snapshot.active, SizeIs(1));
}

}  // namespace
}  // namespace palang
