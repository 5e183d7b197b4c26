#include <sys/stat.h>

#include <memory>
#include <random>

#include "archives.hpp"
#include "helpers.hpp"
#include "source/file_tail.hpp"

namespace palang {
namespace {

using namespace test;
namespace fs = std::filesystem;

// A log of numbered lines, a reader that may be down, and every way of rotating.
class RestartTest : public testing::Test {
 protected:
  void write(uint64_t lines) {
    append(log, numbered_lines(written, written + lines));
    written += lines;
  }
  void read() {
    Source::Batch batch;
    auto source = FileTail::open(log, clock, FileTail::Start::beginning, position);
    ASSERT_TRUE(source);
    do {
      const Result<void> done = (*source)->read(batch);
      ASSERT_TRUE(done) << done.error().text;
      for (const RawLine& line : batch.lines) sequence.take(line.text);
      position = (*source)->position();
    } while (batch.more);
  }
  void expect_all_read() {
    read();
    EXPECT_EQ(sequence.next(), written);
  }
  std::string rotated(int number) { return log + "." + std::to_string(number); }
  // logrotate's way: kern.log.2.gz → kern.log.3.gz, …, kern.log → kern.log.1
  void shift() {
    for (int number = 12; number > 0; --number)
      for (const char* const ending : {"", ".gz", ".xz"})
        if (fs::exists(rotated(number) + ending)) fs::rename(rotated(number) + ending, rotated(number + 1) + ending);
  }
  void rotate() {
    shift();
    fs::rename(log, rotated(1));
  }
  void copy_truncate() {
    shift();
    fs::copy_file(log, rotated(1));
    fs::resize_file(log, 0);
  }
  // As gzip(1) and xz(1) do: the archive gets the original's time.
  void compress(int number, bool with_xz = false) {
    const std::string plain = rotated(number);
    if (!fs::exists(plain)) return;
    const std::string archive = plain + (with_xz ? ".xz" : ".gz");
    const std::string content = slurp(plain);
    spill(archive, with_xz ? xz(content) : gzip(content));
    fs::last_write_time(archive, fs::last_write_time(plain));
    fs::remove(plain);
  }

  TempDir dir;
  FakeClock clock;
  std::string log = dir / "kern.log";
  uint64_t written = 0;
  Sequence sequence;
  std::optional<Position> position;
};

TEST_F(RestartTest, GoesOnWhereItStopped) {
  write(10);
  read();
  write(10);
  expect_all_read();
  expect_all_read();
}

TEST_F(RestartTest, RotatedMeanwhile) {
  write(10);
  read();
  write(5);
  rotate();
  write(5);
  expect_all_read();
}

TEST_F(RestartTest, RotatedSeveralTimesMeanwhile) {
  for (int before = 0; before < 3; ++before) {
    write(10);
    read();
    rotate();
    write(10);
    read();
  }
  for (int meanwhile = 0; meanwhile < 4; ++meanwhile) {
    write(7);
    rotate();
  }
  write(3);
  expect_all_read();
}

TEST_F(RestartTest, RotatedByDateMeanwhile) {
  write(10);
  read();
  fs::rename(log, log + "-20250110");
  write(10);
  read();
  for (const char* const date : {"-20250111", "-20250112", "-20250113"}) {
    write(9);
    fs::rename(log, log + date);
  }
  write(3);
  expect_all_read();
}

TEST_F(RestartTest, RotatedAndTheNewFileIsNotThereYet) {
  write(10);
  read();
  write(10);
  rotate();
  expect_all_read();
  write(10);
  expect_all_read();
}

TEST_F(RestartTest, NothingIsThereYetAndThenItIsBack) {
  write(10);
  read();
  write(1);
  fs::rename(log, dir / "away");
  const uint64_t before = sequence.next();
  read();
  EXPECT_EQ(sequence.next(), before);
  fs::rename(dir / "away", log);
  expect_all_read();
}

TEST_F(RestartTest, CompressedMeanwhile) {
  for (const bool with_xz : {false, true}) {
    write(2000);
    read();
    write(2000);
    rotate();
    compress(1, with_xz);
    write(10);
    rotate();
    compress(1, !with_xz);
    write(10);
    expect_all_read();
    expect_all_read();
  }
}

TEST_F(RestartTest, CompressionInProgressIsNotReadTwice) {
  write(2000);
  read();
  write(20);
  rotate();
  spill(rotated(1) + ".gz", gzip(slurp(rotated(1))).substr(0, 100));
  write(10);
  expect_all_read();
}

TEST_F(RestartTest, CopyTruncatedMeanwhile) {
  write(10);
  read();
  write(10);
  copy_truncate();
  write(5);
  expect_all_read();
  write(20);
  copy_truncate();
  write(50);  // past the old offset
  copy_truncate();
  write(100);
  expect_all_read();
}

TEST_F(RestartTest, RecreatedMeanwhileWhateverItsInode) {
  write(10);
  read();
  fs::remove(log);
  write(30);  // on most file systems the same inode again, and longer
  expect_all_read();
}

TEST_F(RestartTest, OtherFilesBesideAreLeftAlone) {
  write(10);
  read();
  append(log + ".offset", "not a log\n");
  append(log + ".bak", numbered_lines(0, 10));
  append(log + "-settings.1", "not a log\n");
  append(dir / "kern.lo", "not a log\n");
  rotate();
  write(10);
  expect_all_read();
}

TEST_F(RestartTest, AnUnknownPositionBeginsAtTheBeginning) {
  for (const char* const text : {"x", "dev=1", "dev=1 ino=2 off=3 head=0 tail=0 mtime=0", ";;",
                                 "dev=1 ino=2 off=99999999999999999999 head=0 tail=0 mtime=0"}) {
    sequence = Sequence();
    position = Position{"file:" + log, text};
    if (written == 0) write(10);
    expect_all_read();
  }
}

TEST_F(RestartTest, DiesAtRandomMoments) {
  std::mt19937 random(11);
  write(1);
  read();
  std::unique_ptr<FileTail> source;
  for (int step = 0; step < 500 && !sequence.failed(); ++step) {
    switch (random() % 12) {
      case 0:
        rotate();
        compress(1 + static_cast<int>(random() % 3), random() % 2 == 0);
        break;
      case 1: {
        // A running reader that has not begun with the log can't know that it was another.
        if (fs::exists(log) && position && (!source || sequence.next() == written)) copy_truncate();
        break;
      }
      case 2:
      case 3:
      case 4: source.reset(); break;
      default: break;
    }
    write(random() % 40);
    if (random() % 4 == 0) append(log, "");
    for (int reads = static_cast<int>(random() % 3); reads > 0; --reads) {
      if (!source) source = std::move(*FileTail::open(log, clock, FileTail::Start::beginning, position));
      Source::Batch batch;
      const Result<void> done = source->read(batch);
      ASSERT_TRUE(done) << done.error().text;
      for (const RawLine& line : batch.lines) sequence.take(line.text);
      position = source->position();
    }
    for (int number = 10; number < 14; ++number)
      for (const char* const ending : {"", ".gz", ".xz"}) fs::remove(rotated(number) + ending);
    if (step % 6 == 0) expect_all_read();
    if (step % 6 == 0) source.reset();
  }
  source.reset();
  expect_all_read();
}

}  // namespace
}  // namespace palang
