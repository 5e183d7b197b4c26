#include "source/file_tail.hpp"

#include <sys/stat.h>

#include <memory>

#include "helpers.hpp"

namespace palang {
namespace {

using namespace test;
namespace fs = std::filesystem;

class FileTailTest : public testing::Test {
 protected:
  std::unique_ptr<FileTail> tail(std::optional<Position> stored = {},
                                 FileTail::Start start = FileTail::Start::beginning) {
    auto opened = FileTail::open(log, clock, start, stored);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }
  // What a restarted reader sees.
  std::vector<std::string> restarted(const Position& stored) { return read_all(*tail(stored)); }

  void rotate() {
    for (int number = 8; number > 0; --number)
      if (fs::exists(log + "." + std::to_string(number)))
        fs::rename(log + "." + std::to_string(number), log + "." + std::to_string(number + 1));
    fs::rename(log, log + ".1");
  }
  void copy_truncate() {
    fs::copy_file(log, log + ".1", fs::copy_options::overwrite_existing);
    fs::resize_file(log, 0);
  }

  TempDir dir;
  FakeClock clock;
  std::string log = dir / "kern.log";
};

using Lines = std::vector<std::string>;

TEST_F(FileTailTest, ReadsFromTheBeginningAndThenWhatIsAppended) {
  append(log, "one\ntwo\n");
  const auto source = tail();
  EXPECT_EQ(source->name(), "file:" + log);
  EXPECT_EQ(read_all(*source), (Lines{"one", "two"}));
  EXPECT_TRUE(read_all(*source).empty());
  append(log, "three\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"three"});
  EXPECT_EQ(source->counters().lines, 3U);
  EXPECT_EQ(source->counters().bytes, 14U);
}

TEST_F(FileTailTest, LinesAreNoNewerThanNow) {
  append(log, "one\n");
  const auto source = tail();
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  ASSERT_EQ(batch.lines.size(), 1U);
  EXPECT_EQ(batch.lines[0].at, clock.time);
  EXPECT_EQ(batch.lines[0].framing, Framing::syslog);
  EXPECT_FALSE(batch.finished);
}

TEST_F(FileTailTest, CanBeginAtTheLastLineStart) {
  append(log, "one\ntwo\nhal");
  const auto source = tail({}, FileTail::Start::end);
  EXPECT_TRUE(read_all(*source).empty());
  append(log, "f\n");
  EXPECT_EQ(read_all(*source), Lines{"half"});
  rotate();
  append(log, "first of the next file\n");
  EXPECT_EQ(read_all(*source), Lines{"first of the next file"});
}

TEST_F(FileTailTest, AFileThatAppearsLaterIsReadFromItsBeginning) {
  const auto source = tail({}, FileTail::Start::end);
  EXPECT_TRUE(read_all(*source).empty());
  append(log, "one\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"one"});
}

TEST_F(FileTailTest, ADirectoryMayAppearLater) {
  log = dir / "a/b/c/kern.log";
  const auto source = tail();
  EXPECT_TRUE(read_all(*source).empty());
  for (const char* const step : {"a", "a/b", "a/b/c"}) {
    fs::create_directory(dir / step);
    EXPECT_TRUE(becomes_readable(source->fd())) << step;
    EXPECT_TRUE(read_all(*source).empty());
  }
  append(log, "one\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"one"});
  fs::rename(dir / "a", dir / "old");
  fs::create_directories(dir / "a/b/c");
  append(log, "two\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"two"});
}

TEST_F(FileTailTest, AHalfWrittenLineWaits) {
  append(log, "one\ntw");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"one"});
  const Position before_two = source->position();
  append(log, "o\nthree\n");
  EXPECT_EQ(read_all(*source), (Lines{"two", "three"}));
  EXPECT_EQ(restarted(before_two), (Lines{"two", "three"}));
}

TEST_F(FileTailTest, LongAndBinaryLines) {
  const std::string binary("\0\x01\xff\x1b[2J", 7);
  append(log, std::string(200'000, 'x') + "\n" + binary + "\n" + std::string(LineSplitter::longest_line, 'y') + "\n");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), (Lines{std::string(LineSplitter::longest_line, 'x'), binary,
                                      std::string(LineSplitter::longest_line, 'y')}));
  EXPECT_EQ(source->counters().cut_lines, 1U);
}

TEST_F(FileTailTest, ARestartInAnEndlessLineFindsItsStart) {
  append(log, "one\n" + std::string(700'000, 'x'));
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"one"});
  append(log, "\nlast\n");
  EXPECT_EQ(restarted(source->position()), (Lines{std::string(LineSplitter::longest_line, 'x'), "last"}));
  EXPECT_EQ(read_all(*source).size(), 2U);
  append(log, "more\n");
  EXPECT_EQ(restarted(source->position()), Lines{"more"});
}

TEST_F(FileTailTest, AWriterMayGoOnInTheRenamedFile) {
  append(log, "1\n");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"1"});
  rotate();
  append(log + ".1", "2\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"2"});
  append(log, "");
  append(log + ".1", "3\n");
  EXPECT_EQ(read_all(*source), Lines{"3"});
  append(log + ".1", "4\n");
  append(log, "5\n");
  EXPECT_EQ(read_all(*source), (Lines{"4", "5"}));
  append(log + ".1", "late\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  const Position before_late = source->position();
  EXPECT_EQ(read_all(*source), Lines{"late"});
  EXPECT_EQ(restarted(before_late), Lines{"late"});
  EXPECT_TRUE(restarted(source->position()).empty());
}

TEST_F(FileTailTest, AHalfWrittenLineIsCompletedInTheRenamedFile) {
  append(log, "one\ntw");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"one"});
  rotate();
  append(log + ".1", "o\n");
  append(log, "three\n");
  EXPECT_EQ(read_all(*source), (Lines{"two", "three"}));
}

TEST_F(FileTailTest, EmptyFilesBetweenDoNotMatter) {
  append(log, "1\n");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"1"});
  for (int rotation = 0; rotation < 3; ++rotation) {
    rotate();
    append(log, "");
    EXPECT_TRUE(read_all(*source).empty());
  }
  append(log + ".3", "2\n");
  append(log, "3\n");
  EXPECT_EQ(read_all(*source), (Lines{"2", "3"}));
}

TEST_F(FileTailTest, OldFilesAreLetGo) {
  const auto source = tail();
  for (uint64_t number = 0; number < 30; ++number) {
    append(log, numbered_lines(number, number + 1));
    EXPECT_EQ(read_all(*source), Lines{numbered(number)});
    if (number % 2 == 0)
      rotate();
    else
      fs::remove(log);
  }
  size_t held = 0;
  for (const auto& descriptor : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (fs::read_symlink(descriptor, error).string().starts_with(dir.path())) ++held;
  }
  EXPECT_LE(held, 5U);
}

TEST_F(FileTailTest, ADeletedFileIsLetGoWhenItIsSilent) {
  append(log, "1\n");
  const auto source = tail();
  read_all(*source);
  fs::remove(log);
  append(log, "2\n");
  EXPECT_EQ(read_all(*source), Lines{"2"});
  EXPECT_NE(source->position().value.find(';'), std::string::npos);
  clock.time = SystemClock{}.now() + Duration{11s};
  read_all(*source);
  EXPECT_EQ(source->position().value.find(';'), std::string::npos);
}

TEST_F(FileTailTest, DeletedAndRecreated) {
  append(log, "one\n");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), Lines{"one"});
  append(log, "two\n");
  fs::remove(log);
  EXPECT_EQ(read_all(*source), Lines{"two"});
  append(log, "one\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"one"});
}

TEST_F(FileTailTest, ARewrittenFileIsNotReadAgain) {
  append(log, numbered_lines(0, 500));
  const auto source = tail();
  Sequence sequence;
  sequence.take(read_all(*source));
  append(log, numbered_lines(500, 510));
  fs::copy_file(log, dir / "edited");
  fs::rename(dir / "edited", log);
  append(log, numbered_lines(510, 520));
  sequence.take(read_all(*source));
  EXPECT_EQ(sequence.next(), 520U);
}

TEST_F(FileTailTest, CopyTruncate) {
  append(log, "1\n2\n");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), (Lines{"1", "2"}));
  copy_truncate();
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_TRUE(read_all(*source).empty());
  append(log, "3\n");
  EXPECT_EQ(read_all(*source), Lines{"3"});
}

TEST_F(FileTailTest, CopyTruncateBeforeAllWasReadAndGrownPastTheOffset) {
  append(log, numbered_lines(0, 100));
  const auto source = tail();
  Sequence sequence;
  sequence.take(read_all(*source));
  append(log, numbered_lines(100, 120));
  copy_truncate();
  append(log, numbered_lines(120, 400));
  sequence.take(read_all(*source));
  EXPECT_EQ(sequence.next(), 400U);
}

TEST_F(FileTailTest, TruncatedWithoutACopy) {
  append(log, "1\n2\nhalf");
  const auto source = tail();
  EXPECT_EQ(read_all(*source), (Lines{"1", "2"}));
  fs::resize_file(log, 0);
  append(log, "3\n");
  EXPECT_EQ(read_all(*source), Lines{"3"});
  EXPECT_TRUE(restarted(source->position()).empty());
}

TEST_F(FileTailTest, AWriterWithoutAppendLeavesAHole) {
  const Fd writer(open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  const std::string first = numbered_lines(0, 3000);
  ASSERT_EQ(write(writer.get(), first.data(), first.size()), static_cast<ssize_t>(first.size()));
  const auto source = tail();
  Sequence sequence;
  sequence.take(read_all(*source));
  copy_truncate();
  const std::string second = numbered_lines(3000, 3010);
  ASSERT_EQ(write(writer.get(), second.data(), second.size()), static_cast<ssize_t>(second.size()));
  sequence.take(read_all(*source));
  EXPECT_EQ(sequence.next(), 3010U);
  EXPECT_TRUE(restarted(source->position()).empty());
}

TEST_F(FileTailTest, SymbolicLinks) {
  fs::create_directory(dir / "data");
  fs::create_symlink("data/real.log", log);
  const auto source = tail();
  EXPECT_TRUE(read_all(*source).empty());
  append(dir / "data/real.log", "1\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"1"});
  append(dir / "data/real.log", "2\n");
  fs::rename(dir / "data/real.log", dir / "data/real.log.1");
  append(dir / "data/real.log", "3\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  const Position before = source->position();
  EXPECT_EQ(read_all(*source), (Lines{"2", "3"}));
  EXPECT_EQ(restarted(before), (Lines{"2", "3"}));
  append(dir / "data/other.log", "4\n");
  fs::create_symlink("data/other.log", dir / "link");
  fs::rename(dir / "link", log);
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"4"});
}

TEST_F(FileTailTest, WhatIsNotAFileIsAnErrorUntilItIs) {
  fs::create_directory(log);
  const auto source = tail();
  Source::Batch batch;
  const Result<void> done = source->read(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "read " + log + ": it is not a regular file");
  fs::remove(log);
  append(log, "1\n");
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"1"});
}

TEST_F(FileTailTest, AnUnreadableFileIsAnErrorUntilItIsReadable) {
  append(log, "1\n");
  chmod(log.c_str(), 0);
  // Root reads everything; the effective user of this thread's file accesses can be another one.
  chmod(dir.path().c_str(), 0755);
  const bool root = geteuid() == 0;
  if (root && (setegid(65534) != 0 || seteuid(65534) != 0)) GTEST_SKIP() << "can't become another user";
  const auto source = tail();
  Source::Batch batch;
  const Result<void> refused = source->read(batch);
  const Result<void> refused_again = source->read(batch);
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
    ASSERT_EQ(setegid(0), 0);
  }
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "open " + log + ": permission denied (EACCES)");
  EXPECT_FALSE(refused_again);
  chmod(log.c_str(), 0644);
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"1"});
}

TEST_F(FileTailTest, TheOldFileIsReadToItsEndThoughTheNewOneIsUnreadable) {
  append(log, "1\n");
  const auto source = tail();
  read_all(*source);
  append(log, "2\n");
  rotate();
  fs::create_directory(log);
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  ASSERT_EQ(batch.lines.size(), 1U);
  EXPECT_EQ(batch.lines[0].text, "2");
  EXPECT_TRUE(batch.more);
  EXPECT_FALSE(source->read(batch));
}

}  // namespace
}  // namespace palang
