#include <sys/resource.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "helpers.hpp"
#include "source/file_tail.hpp"

namespace palang {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr uint64_t total = 60'000;
constexpr uint64_t per_file = 1'500;

// A program that logs, one write(2) a line or in blocks that split lines as stdio does.
class Writer {
 public:
  explicit Writer(std::string path) : path_(std::move(path)) { reopen(); }

  void reopen() { fd_.reset(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)); }
  void lines(uint64_t count) {
    for (uint64_t line = 0; line < count; ++line) put(numbered(next_++) + "\n");
  }
  void in_blocks(uint64_t count) {
    std::string text = numbered_lines(next_, next_ + count);
    next_ += count;
    for (size_t at = 0; at < text.size(); at += 4096) put(std::string_view(text).substr(at, 4096));
  }
  [[nodiscard]] uint64_t next() const { return next_; }

 private:
  void put(std::string_view text) {
    if (write(fd_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  }

  std::string path_;
  Fd fd_;
  uint64_t next_ = 0;
};

class FileTailLoadTest : public testing::Test {
 protected:
  // Runs `writing` in a thread while this one reads until all lines came or none comes for two seconds.
  void expect_all(const std::function<void(Writer&)>& writing, size_t batches_per_life = SIZE_MAX) {
    Writer writer(log);
    std::optional<Position> position;
    auto source = std::move(*FileTail::open(log, clock, FileTail::Start::beginning, position));
    Source::Batch batch;
    ASSERT_TRUE(source->read(batch));  // knows the first file before it is rotated
    position = source->position();
    std::jthread thread([&] {
      while (writer.next() < total) writing(writer);
    });
    size_t batches = 0;
    while (sequence.next() < total && !sequence.failed()) {
      if (++batches % batches_per_life == 0) {
        source = std::move(*FileTail::open(log, clock, FileTail::Start::beginning, position));
      } else if (!batch.more && !becomes_readable(source->fd())) {
        break;
      }
      const Result<void> done = source->read(batch);
      ASSERT_TRUE(done) << done.error().text;
      for (const RawLine& line : batch.lines) sequence.take(line.text);
      position = source->position();
      set_read(sequence.next());
    }
    set_read(total);  // a failure must not leave the writer waiting
    EXPECT_EQ(sequence.next(), total);
  }
  void rotate() {
    ++generation;
    fs::rename(log, fmt::format("{}.{}", log, 20250000 + generation));
  }
  void set_read(uint64_t number) {
    read = number;
    read.notify_all();
  }
  void wait_until_read(uint64_t number) const {
    for (uint64_t seen = read; seen < number; seen = read) read.wait(seen);
  }

  TempDir dir;
  FakeClock clock;
  std::string log = dir / "kern.log";
  Sequence sequence;
  std::atomic<uint64_t> read = 0;
  int generation = 0;
};

TEST_F(FileTailLoadTest, Renamed) {
  expect_all([&](Writer& writer) {
    writer.lines(per_file);
    rotate();
    writer.lines(per_file / 3);  // has not been told yet
    writer.reopen();
  });
}

TEST_F(FileTailLoadTest, RenamedWhileWritingBlocks) {
  expect_all([&](Writer& writer) {
    writer.in_blocks(per_file);
    rotate();
    append(log, "");  // as logrotate's `create`
    writer.in_blocks(per_file / 3);
    writer.reopen();
  });
}

TEST_F(FileTailLoadTest, RenamedWhileTheReaderDies) {
  expect_all(
      [&](Writer& writer) {
        writer.lines(per_file);
        rotate();
        writer.lines(per_file / 3);
        writer.reopen();
      },
      7);
}

TEST_F(FileTailLoadTest, CopyTruncated) {
  expect_all([&](Writer& writer) {
    writer.lines(per_file);
    // A reader that had not begun with this file could not know that there was another.
    wait_until_read(writer.next() - per_file + 1);
    fs::copy_file(log, fmt::format("{}.{}", log, 20250000 + ++generation));
    fs::resize_file(log, 0);
  });
}

TEST_F(FileTailLoadTest, CopyTruncatedWhileTheReaderDies) {
  expect_all(
      [&](Writer& writer) {
        writer.lines(per_file);
        wait_until_read(writer.next() - per_file + 1);
        fs::copy_file(log, fmt::format("{}.{}", log, 20250000 + ++generation));
        fs::resize_file(log, 0);
      },
      5);
}

TEST_F(FileTailLoadTest, DeletedAndRecreated) {
  expect_all([&](Writer& writer) {
    writer.lines(per_file);
    wait_until_read(writer.next() - per_file + 1);  // what nobody has opened is gone with its name
    fs::remove(log);
    writer.lines(per_file / 3);
    writer.reopen();
  });
}

TEST_F(FileTailLoadTest, MemoryStaysFlat) {
  // 60 MB through one reader; what it holds is its buffer and the batch.
  const std::string block = numbered_lines(0, 40'000);
  auto source = std::move(*FileTail::open(log, clock, FileTail::Start::beginning, {}));
  Source::Batch batch;
  uint64_t lines = 0;
  const auto pump = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      append(log, block);
      do {
        ASSERT_TRUE(source->read(batch));
        lines += batch.lines.size();
      } while (batch.more);
    }
  };
  const auto resident_kib = [] {
    std::ifstream statm("/proc/self/statm");
    long pages = 0;
    statm >> pages >> pages;
    return pages * sysconf(_SC_PAGESIZE) / 1024;
  };
  pump(5);
  const long before = resident_kib();
  pump(30);
  EXPECT_EQ(lines, 35U * 40'000U);
  EXPECT_LT(resident_kib() - before, 8 * 1024);
}

}  // namespace
}  // namespace palang
