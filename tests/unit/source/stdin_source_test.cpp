#include "source/stdin_source.hpp"

#include <array>

#include "archives.hpp"
#include "helpers.hpp"

namespace palang {
namespace {

using namespace test;

TEST(StdinSource, ReadsAPipeUntilItsEnd) {
  const FakeClock clock;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  Fd writer(ends[1]);
  StdinSource source(Fd{ends[0]}, clock);
  EXPECT_EQ(source.fd(), ends[0]);
  Source::Batch batch;
  ASSERT_TRUE(source.read(batch));  // would block
  EXPECT_TRUE(batch.lines.empty());
  EXPECT_FALSE(batch.finished);
  ASSERT_EQ(write(writer.get(), "one\ntw", 6), 6);
  ASSERT_TRUE(source.read(batch));
  ASSERT_EQ(batch.lines.size(), 1U);
  EXPECT_EQ(batch.lines[0].text, "one");
  EXPECT_EQ(batch.lines[0].at, clock.time);
  EXPECT_EQ(source.position().value, "off=4");
  writer.reset();
  ASSERT_TRUE(source.read(batch));
  ASSERT_EQ(batch.lines.size(), 1U);
  EXPECT_EQ(batch.lines[0].text, "tw");
  EXPECT_TRUE(batch.finished);
  EXPECT_EQ(source.counters().lines, 2U);
}

TEST(StdinSource, WhatEpollRefusesIsAlwaysReadable) {
  const TempDir dir;
  const FakeClock clock;
  spill(dir / "log", "one\n");
  StdinSource file(Fd(open((dir / "log").c_str(), O_RDONLY | O_CLOEXEC)), clock);
  EXPECT_EQ(file.fd(), -1);
  Source::Batch batch;
  ASSERT_TRUE(file.read(batch));
  EXPECT_EQ(batch.lines.size(), 1U);
  EXPECT_FALSE(batch.finished);
  ASSERT_TRUE(file.read(batch));
  EXPECT_TRUE(batch.finished);
  StdinSource nothing(Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)), clock);
  EXPECT_EQ(nothing.fd(), -1);
}

TEST(StdinSource, AnUnreadableOneIsAnError) {
  const FakeClock clock;
  StdinSource source(Fd(open("/dev/null", O_WRONLY | O_CLOEXEC)), clock);
  Source::Batch batch;
  const Result<void> done = source.read(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "read standard input: bad file descriptor (EBADF)");
}

}  // namespace
}  // namespace palang
