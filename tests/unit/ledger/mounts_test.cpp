#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <thread>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Real file systems that are full or read-only: root passes every check of file rights, so nothing less will do.
class Mounts : public LedgerTest {
 protected:
  // Runs `body` in a thread with a private mount namespace; threads that it starts (the ledger's worker) inherit it.
  template <typename Body>
  void in_private_mounts(Body&& body) {
    std::string why_not;
    std::thread([&] {
      if (::unshare(CLONE_NEWNS | CLONE_FS) != 0)
        why_not = describe_errno(errno);
      else if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        why_not = describe_errno(errno);
      else
        body();  // the mounts go with the thread
    }).join();
    if (!why_not.empty()) GTEST_SKIP() << "needs a mount namespace of its own: " << why_not;
  }

  void mount_tmpfs(const char* options) const {
    ASSERT_EQ(::mount("palang-ledger", directory_.c_str(), "tmpfs", 0, options), 0) << describe_errno(errno);
  }
  void remount(unsigned long flags) const {
    ASSERT_EQ(::mount(nullptr, directory_.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr), 0)
        << describe_errno(errno);
  }
  // Writes zeros until the file system is full.
  void fill_disk() const {
    std::ofstream ballast(directory_ + "/ballast", std::ios::binary | std::ios::app);
    const std::string block(4096, '\0');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void free_disk() const { std::filesystem::remove(directory_ + "/ballast"); }

  static LedgerBatch large_batch(uint64_t first, uint64_t count) {
    LedgerBatch batch;
    for (uint64_t id = first; id < first + count; ++id) {
      const Address source = Address::v4(0xc6120000U + static_cast<uint32_t>(id));
      batch.changes.push_back(change(ChangeKind::added, decision(id, source.text())));
      batch.evidence.push_back({noon, source, Rule::blocked, std::string(300, 'x')});
    }
    batch.positions = {{"kmsg", std::to_string(first + count - 1)}};
    return batch;
  }
};

TEST_F(Mounts, AFullDiskIsReportedAndMadeUpForWhenThereIsRoom) {
  in_private_mounts([&] {
    mount_tmpfs("size=8m");
    {
      const OpenedLedger opened = open();
      opened.ledger->commit(large_batch(1, 100));
      ASSERT_SAVED(*opened.ledger);
      fill_disk();
      opened.ledger->commit(large_batch(101, 2000));
      const auto told = opened.ledger->barrier(patience);
      ASSERT_FALSE(told);
      EXPECT_THAT(told.error().text, HasSubstr("write to " + path_ + ": database or disk is full (SQLITE_FULL)"));
      EXPECT_THAT(told.error().text, HasSubstr("1 batch waits"));
      free_disk();
      ASSERT_SAVED(*opened.ledger);
      EXPECT_THAT(opened.ledger->health().trouble, IsEmpty());
      EXPECT_FALSE(opened.ledger->needs_resync());
    }
    const Snapshot found = open().snapshot;
    EXPECT_THAT(found.active, SizeIs(2100));
    EXPECT_EQ(found.positions.at(0).value, "2100");
  });
}

TEST_F(Mounts, ADiskThatIsFullAtTheStartHidesNoBan) {
  in_private_mounts([&] {
    mount_tmpfs("size=8m");
    {
      const OpenedLedger opened = open();
      opened.ledger->commit(large_batch(1, 100));
      ASSERT_SAVED(*opened.ledger);
    }
    fill_disk();
    const OpenedLedger opened = open();
    EXPECT_FALSE(opened.snapshot.fresh);
    EXPECT_THAT(opened.snapshot.active, SizeIs(100));
    EXPECT_EQ(opened.snapshot.last_id, 100U);
    EXPECT_THAT(opened.trouble, HasSubstr(path_));
    opened.ledger->commit(large_batch(101, 10));
    free_disk();
    ASSERT_SAVED(*opened.ledger);
    EXPECT_FALSE(opened.ledger->needs_resync());
    EXPECT_EQ(number("SELECT count(*) FROM decisions"), 110);
  });
}

TEST_F(Mounts, ADiskThatWasFullBeforeThereWasALedgerIsUsedOnceThereIsRoom) {
  in_private_mounts([&] {
    mount_tmpfs("size=1m");
    fill_disk();
    const OpenedLedger opened = open();
    EXPECT_TRUE(opened.snapshot.fresh);
    EXPECT_THAT(opened.trouble, HasSubstr(path_));
    const uint64_t next = opened.snapshot.last_id + 1;
    EXPECT_EQ(next, static_cast<uint64_t>(noon.time_since_epoch().count()) + 1);
    opened.ledger->commit(added(decision(next, "192.0.2.1")));
    free_disk();
    ASSERT_SAVED(*opened.ledger);
    EXPECT_FALSE(opened.ledger->needs_resync()) << "all that was decided is in the queue";
    EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1);
  });
}

TEST_F(Mounts, AReadOnlyDirectoryHidesNoBan) {
  in_private_mounts([&] {
    mount_tmpfs("size=8m");
    {
      const OpenedLedger opened = open();
      opened.ledger->commit(large_batch(1, 100));
      ASSERT_SAVED(*opened.ledger);
    }
    remount(MS_RDONLY);
    const OpenedLedger opened = open();
    EXPECT_FALSE(opened.snapshot.fresh);
    EXPECT_THAT(opened.snapshot.active, SizeIs(100));
    EXPECT_THAT(opened.trouble, HasSubstr("read-only file system (EROFS)"));
    opened.ledger->commit(large_batch(101, 10));
    ASSERT_FALSE(opened.ledger->barrier(patience));
    remount(0);
    ASSERT_SAVED(*opened.ledger);
    EXPECT_EQ(number("SELECT count(*) FROM decisions"), 110);
  });
}

TEST_F(Mounts, WhatOnlyTheLogHoldsIsFoundInAReadOnlyDirectoryToo) {
  in_private_mounts([&] {
    mount_tmpfs("size=8m");
    const OpenedLedger crashed = open();
    crashed.ledger->commit(large_batch(1, 100));
    ASSERT_SAVED(*crashed.ledger);
    // As a crash leaves it: a copy of the files while they are in use.
    const std::string copy = directory_ + "/after";
    std::filesystem::create_directory(copy);
    for (const char* const part : {"", "-wal"}) std::filesystem::copy_file(path_ + part, copy + "/palang.db" + part);
    ASSERT_EQ(::mount(copy.c_str(), copy.c_str(), nullptr, MS_BIND, nullptr), 0) << describe_errno(errno);
    ASSERT_EQ(::mount(nullptr, copy.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0)
        << describe_errno(errno);
    const OpenedLedger opened = open_at(copy + "/palang.db");
    EXPECT_THAT(opened.snapshot.active, SizeIs(100));
    EXPECT_THAT(opened.trouble, HasSubstr("(EROFS)"));
  });
}

TEST_F(Mounts, AReadOnlyDirectoryWithoutALedgerBeginsFromMemory) {
  in_private_mounts([&] {
    mount_tmpfs("size=1m");
    remount(MS_RDONLY);
    const OpenedLedger opened = open();
    EXPECT_TRUE(opened.snapshot.fresh);
    EXPECT_THAT(opened.trouble, HasSubstr("read-only file system (EROFS)"));
    opened.ledger->commit(added(decision(opened.snapshot.last_id + 1, "192.0.2.1")));
    const auto saved = opened.ledger->flush(20ms);
    ASSERT_FALSE(saved);
    EXPECT_THAT(saved.error().text, HasSubstr("1 batch waits"));
    remount(0);
    ASSERT_SAVED(*opened.ledger);
    EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1);
  });
}

}  // namespace
}  // namespace palang
