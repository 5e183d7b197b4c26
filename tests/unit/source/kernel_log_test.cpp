#include "source/kernel_log.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <memory>

#include "helpers.hpp"
#include "source/kmsg_record.hpp"

namespace palang {
namespace {

using namespace test;

TEST(KmsgRecord, IsParsed) {
  const auto record = parse_kmsg_record("4,1234,5678901,-,caller=T1;IN=eth0 a;b \\x0a\n SUBSYSTEM=net\n DEVICE=n1\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->facility, 0U);
  EXPECT_EQ(record->level, 4U);
  EXPECT_EQ(record->sequence, 1234U);
  EXPECT_EQ(record->since_boot, Duration{5'678'901us});
  EXPECT_EQ(record->text, "IN=eth0 a;b \\x0a");
}

TEST(KmsgRecord, TellsProcessesFromTheKernel) {
  EXPECT_EQ(parse_kmsg_record("12,1,2,-;kernel: I am not\n")->facility, 1U);
  EXPECT_EQ(parse_kmsg_record("7,1,2,c;\n")->facility, 0U);
  EXPECT_EQ(parse_kmsg_record("7,1,2,c;")->text, "");
}

TEST(KmsgRecord, WhatIsNoneIsRefused) {
  for (const char* const text :
       {"", ";", "6", "6,", "6,1", "6,1,2", "6,1,2,", "6,1,2,-", "6,1,2;x", "x,1,2,-;x", "6,,2,-;x", "-6,1,2,-;x",
        "6,1,2,-\n;x", "6,99999999999999999999,2,-;x", "6,1,99999999999999999999,-;x", "6,1,18446744073709551615,-;x"})
    EXPECT_FALSE(parse_kmsg_record(text)) << text;
}

// A socket that keeps the bounds of records, as /dev/kmsg does; errors are given out in between.
std::deque<int>& pending_errors() {
  static std::deque<int> errors;
  return errors;
}

ssize_t read_fake(int fd, void* into, size_t size) {
  if (!pending_errors().empty()) {
    errno = pending_errors().front();
    pending_errors().pop_front();
    return -1;
  }
  return recv(fd, into, size, MSG_DONTWAIT);
}

class KernelLogTest : public testing::Test {
 protected:
  KernelLogTest() { pending_errors().clear(); }

  KernelLog log(std::optional<Position> stored = {}, std::string boot_id = "b00t") {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    writer.reset(ends[1]);
    return KernelLog({Fd(ends[0]), std::move(boot_id), [] { return Duration{1000s}; }, read_fake}, clock, stored);
  }
  void put(uint64_t sequence, std::string_view text, int priority = 6) {
    const std::string record =
        fmt::format("{},{},{},-;{}\n SUBSYSTEM=x\n", priority, sequence, sequence * 1'000'000, text);
    ASSERT_EQ(send(writer.get(), record.data(), record.size(), 0), static_cast<ssize_t>(record.size()));
  }

  FakeClock clock;
  Fd writer;
};

using Lines = std::vector<std::string>;

TEST_F(KernelLogTest, GivesWhatTheKernelWrote) {
  KernelLog source = log();
  EXPECT_TRUE(read_all(source).empty());
  put(7, "IN=eth0 SRC=203.0.113.9");
  put(8, "a process: IN=eth0 SRC=192.0.2.1", 14);
  put(9, "last");
  EXPECT_TRUE(becomes_readable(source.fd()));
  Source::Batch batch;
  ASSERT_TRUE(source.read(batch));
  ASSERT_EQ(batch.lines.size(), 2U);
  EXPECT_EQ(batch.lines[0].text, "IN=eth0 SRC=203.0.113.9");
  EXPECT_EQ(batch.lines[1].text, "last");
  EXPECT_EQ(batch.lines[0].framing, Framing::kernel);
  EXPECT_EQ(batch.lines[0].at, clock.time - 1000s + 7s);
  EXPECT_FALSE(batch.more);
  EXPECT_FALSE(batch.finished);
  EXPECT_EQ(source.position().value, "boot=b00t next=10");
  EXPECT_EQ(source.counters().lines, 2U);
  EXPECT_EQ(source.counters().lost_lines, 0U);
}

TEST_F(KernelLogTest, NothingHappensInTheFuture) {
  KernelLog source = log();
  put(5000, "x");
  Source::Batch batch;
  ASSERT_TRUE(source.read(batch));
  EXPECT_EQ(batch.lines.at(0).at, clock.time);
}

TEST_F(KernelLogTest, GoesOnAfterARestart) {
  KernelLog source = log(Position{"kmsg", "boot=b00t next=8"});
  EXPECT_EQ(source.position().value, "boot=b00t next=8");
  for (uint64_t sequence = 5; sequence < 10; ++sequence) put(sequence, std::to_string(sequence));
  EXPECT_EQ(read_all(source), (Lines{"8", "9"}));
  EXPECT_EQ(source.counters().lost_lines, 0U);
}

TEST_F(KernelLogTest, BeginsAnewAfterAReboot) {
  KernelLog source = log(Position{"kmsg", "boot=0ther next=8"});
  for (uint64_t sequence = 0; sequence < 3; ++sequence) put(sequence, std::to_string(sequence));
  EXPECT_EQ(read_all(source), (Lines{"0", "1", "2"}));
  EXPECT_EQ(source.counters().lost_lines, 0U);
}

TEST_F(KernelLogTest, AnUnknownPositionIsNone) {
  for (const char* const text : {"", "boot=b00t next=", "boot=b00t next=1x", "next=4"}) {
    KernelLog source = log(Position{"kmsg", text});
    put(3, "3");
    EXPECT_EQ(read_all(source), Lines{"3"}) << text;
  }
}

TEST_F(KernelLogTest, OverwrittenRecordsAreCounted) {
  KernelLog source = log(Position{"kmsg", "boot=b00t next=2"});
  put(4, "4");
  EXPECT_EQ(read_all(source), Lines{"4"});
  EXPECT_EQ(source.counters().lost_lines, 2U);
  pending_errors() = {EPIPE, EINTR};
  put(10, "10");
  EXPECT_EQ(read_all(source), Lines{"10"});
  EXPECT_EQ(source.counters().lost_lines, 7U);
}

TEST_F(KernelLogTest, AnErrorDoesNotEndIt) {
  KernelLog source = log();
  put(1, "1");
  pending_errors() = {EIO};
  Source::Batch batch;
  const Result<void> done = source.read(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "read /dev/kmsg: input/output error (EIO)");
  EXPECT_EQ(read_all(source), Lines{"1"});
}

TEST_F(KernelLogTest, BrokenRecordsArePassedOver) {
  KernelLog source = log();
  ASSERT_EQ(send(writer.get(), "garbage", 7, 0), 7);
  put(1, "1");
  EXPECT_EQ(read_all(source), Lines{"1"});
}

TEST_F(KernelLogTest, TheRealOne) {
  Result<KmsgDevice> device = KmsgDevice::open();
  if (!device) GTEST_SKIP() << device.error().text;
  KernelLog source(std::move(*device), clock, {});
  Source::Batch batch;
  ASSERT_TRUE(source.read(batch));
  EXPECT_FALSE(batch.finished);
  EXPECT_EQ(source.position().value.find("boot="), 0U);
}

}  // namespace
}  // namespace palang
