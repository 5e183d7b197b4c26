#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <random>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using Kill = LedgerTest;

constexpr uint64_t decisions_per_batch = 5;

// Batch n adds decisions 5n-4 .. 5n, lifts the first of them and moves the position to n.
LedgerBatch numbered_batch(uint64_t n) {
  LedgerBatch batch;
  for (uint64_t id = (n - 1) * decisions_per_batch + 1; id <= n * decisions_per_batch; ++id) {
    const Address source = Address::v4(0xc6120000U + static_cast<uint32_t>(id));
    batch.changes.push_back(change(ChangeKind::added, decision(id, source.text())));
    batch.evidence.push_back({noon, source, Rule::blocked, "batch " + std::to_string(n)});
  }
  batch.changes.push_back(change(ChangeKind::lifted, batch.changes[0].decision, noon));
  batch.positions = {{"kmsg", std::to_string(n)}};
  return batch;
}

// Commits as fast as it can from where the ledger is, and says so after each batch, until it is killed.
[[noreturn]] void commit_until_killed(const std::string& path, int progress) {
  const auto opened = open_ledger(path, noon, one_day * 90);
  if (!opened) ::_exit(1);
  const auto& positions = opened->snapshot.positions;
  for (uint64_t n = positions.empty() ? 1 : std::stoull(positions[0].value) + 1;; ++n) {
    opened->ledger->commit(numbered_batch(n));
    if (n % 7 == 0 && !opened->ledger->barrier(patience)) ::_exit(2);
    if (::write(progress, ".", 1) != 1) ::_exit(3);
  }
}

TEST_F(Kill, DecisionsAndPositionAgreeAfterKill9AtAnyMoment) {
  std::minstd_rand random(4711);
  uint64_t before = 0;
  for (int round = 0; round < 20; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const Fd reading(ends[0]);
    Fd writing(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_until_killed(path_, ends[1]);
    writing.reset();
    char dot = 0;
    for (auto left = random() % 60 + 1; left > 0; --left) ASSERT_EQ(::read(reading.get(), &dot, 1), 1);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;

    const OpenedLedger opened = open();
    ASSERT_TRUE(opened.trouble.empty()) << opened.trouble;
    ASSERT_TRUE(opened.notices.empty()) << opened.notices[0];
    const auto& positions = opened.snapshot.positions;
    const uint64_t position = positions.empty() ? 0 : std::stoull(positions[0].value);
    EXPECT_GE(position, before) << "what was on the disk stays";
    before = position;
    EXPECT_EQ(opened.snapshot.last_id, position * decisions_per_batch);
    EXPECT_EQ(opened.snapshot.past.size(), position);
    EXPECT_EQ(opened.snapshot.active.size(), position * (decisions_per_batch - 1));
    EXPECT_EQ(number("SELECT count(*) FROM evidence"), static_cast<int64_t>(position * decisions_per_batch));
  }
  EXPECT_GT(before, 20U) << "the rounds must have got somewhere";
}

}  // namespace
}  // namespace palang
