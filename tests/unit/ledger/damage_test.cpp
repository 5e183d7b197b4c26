#include <gmock/gmock.h>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t many = 3000;

class Damage : public LedgerTest {
 protected:
  // A ledger of `many` decisions, closed: all of it is in the one file.
  void fill() const {
    const OpenedLedger opened = open();
    LedgerBatch batch;
    for (uint64_t id = 1; id <= many; ++id)
      batch.changes.push_back(
          change(ChangeKind::added, decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text())));
    opened.ledger->commit(std::move(batch));
    ASSERT_SAVED(*opened.ledger);
  }

  // Overwrites every `step`th page from `first` on. The file may be set aside meanwhile: it is opened once.
  void damage_pages(std::streamoff first, std::streamoff step = 1) const {
    const auto pages = static_cast<std::streamoff>(std::filesystem::file_size(path_) / 4096);
    const std::string nonsense(4096, '\xa5');
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    for (std::streamoff page = first; page < pages; page += step) {
      file.seekp(page * 4096);
      file << nonsense;
    }
    ASSERT_TRUE(file.flush().good());
  }

  // It is there under another name, and a new one works.
  void expect_set_aside(const OpenedLedger& opened, uintmax_t size) const {
    EXPECT_TRUE(opened.snapshot.fresh);
    EXPECT_THAT(opened.snapshot.active, IsEmpty());
    EXPECT_THAT(opened.trouble, IsEmpty());
    const std::string name = path_ + ".corrupt-20250112T120000Z";
    ASSERT_THAT(opened.notices, ElementsAre(HasSubstr("the file is kept as " + name + ", a new one is begun")));
    EXPECT_EQ(std::filesystem::file_size(name), size);
    opened.ledger->commit(added(decision(1, "192.0.2.1")));
    ASSERT_SAVED(*opened.ledger);
    EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1);
  }
};

TEST_F(Damage, AFileThatIsNoDatabaseIsSetAside) {
  std::ofstream(path_) << std::string(5000, 'g');
  expect_set_aside(open(), 5000);
}

TEST_F(Damage, AFileTruncatedInTheMiddleIsSetAside) {
  fill();
  const uintmax_t half = std::filesystem::file_size(path_) / 2 / 4096 * 4096;
  std::filesystem::resize_file(path_, half);
  expect_set_aside(open(), half);
}

TEST_F(Damage, AFileWithFlippedPagesIsSetAside) {
  fill();
  const uintmax_t size = std::filesystem::file_size(path_);
  damage_pages(3, 2);
  expect_set_aside(open(), size);
}

TEST_F(Damage, ASecondDamagedFileOfTheSameSecondGetsAnotherName) {
  std::ofstream(path_) << std::string(5000, 'g');
  {
    const OpenedLedger opened = open();
  }
  std::filesystem::remove(path_);
  std::ofstream(path_) << std::string(6000, 'h');
  {
    const OpenedLedger opened = open();
  }
  EXPECT_THAT(files_set_aside(), testing::UnorderedElementsAre(path_ + ".corrupt-20250112T120000Z",
                                                               path_ + ".corrupt-20250112T120000Z.2"));
}

TEST_F(Damage, TheLogGoesAsideWithItsFile) {
  std::ofstream(path_) << std::string(5000, 'g');
  std::ofstream(path_ + "-wal") << "log";
  const OpenedLedger opened = open();
  EXPECT_THAT(files_set_aside(),
              testing::IsSupersetOf({path_ + ".corrupt-20250112T120000Z", path_ + ".corrupt-20250112T120000Z-wal"}));
}

TEST_F(Damage, WhileRunningTheFileIsSetAsideAndMemoryAskedForEverything) {
  // More than what is checked as a whole when opened.
  LedgerBatch lines;
  for (uint32_t i = 1; i <= 25'000; ++i)
    lines.evidence.push_back({noon, Address::v4(0xc6120000U + i), Rule::blocked, std::string(400, 'x')});
  {
    const OpenedLedger opened = open();
    opened.ledger->commit(lines);
    ASSERT_SAVED(*opened.ledger);
  }
  const uintmax_t size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 9U << 20);

  const OpenedLedger opened = open();
  ASSERT_THAT(opened.notices, IsEmpty());
  opened.ledger->commit(added(decision(1, "192.0.2.1")));
  ASSERT_SAVED(*opened.ledger);
  damage_pages(20);
  opened.ledger->commit(std::move(lines));  // goes to every page of the index, most of them not read before
  ASSERT_TRUE(eventually(*opened.ledger, [&](const LedgerHealth&) { return opened.ledger->needs_resync(); }));
  EXPECT_THAT(files_set_aside(), testing::Contains(path_ + ".corrupt-20250112T120000Z"));

  Resync whole;
  whole.at = noon;
  whole.active = {decision(1, "192.0.2.1")};
  whole.positions = {{"kmsg", "77"}};
  opened.ledger->replace(whole);
  ASSERT_SAVED(*opened.ledger);
  EXPECT_FALSE(opened.ledger->needs_resync());
  EXPECT_THAT(opened.ledger->health().trouble, IsEmpty());
  EXPECT_EQ(number("SELECT count(*) FROM decisions WHERE ended_at IS NULL"), 1);
  EXPECT_EQ(number("SELECT value FROM positions"), 77);
  EXPECT_EQ(number("SELECT count(*) FROM evidence"), 25'000) << "what was in the queue is not lost with the file";
}

TEST_F(Damage, AFileThatIsDamagedWhileItCouldNotBeWrittenIsSetAside) {
  fill();
  const OpenedLedger opened = open();
  auto other = Database::open(path_, Database::Mode::write);
  ASSERT_TRUE(other && other->execute("BEGIN IMMEDIATE"));
  opened.ledger->commit(added(decision(many + 1, "192.0.2.1")));
  ASSERT_FALSE(opened.ledger->barrier(patience));
  damage_pages(1);
  // Found when the next try opens the file, the lock notwithstanding.
  ASSERT_TRUE(eventually(*opened.ledger, [&](const LedgerHealth&) { return opened.ledger->needs_resync(); }));
  EXPECT_THAT(files_set_aside(), testing::Not(IsEmpty()));
}

TEST_F(Damage, AFileThatIsTakenAwayWhileRunningIsBegunAnew) {
  const OpenedLedger opened = open();
  opened.ledger->commit(added(decision(1, "192.0.2.1")));
  ASSERT_SAVED(*opened.ledger);
  std::filesystem::remove(path_);
  opened.ledger->commit(added(decision(2, "192.0.2.2")));
  ASSERT_TRUE(eventually(*opened.ledger, [&](const LedgerHealth&) { return opened.ledger->needs_resync(); }));
  Resync whole;
  whole.at = noon;
  whole.active = {decision(1, "192.0.2.1"), decision(2, "192.0.2.2")};
  opened.ledger->replace(whole);
  ASSERT_SAVED(*opened.ledger);
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 2);
}

}  // namespace
}  // namespace palang
