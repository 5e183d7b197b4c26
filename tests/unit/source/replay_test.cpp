#include "source/replay.hpp"

#include <sys/stat.h>

#include "archives.hpp"
#include "helpers.hpp"

namespace palang {
namespace {

using namespace test;
namespace fs = std::filesystem;

class ReplayTest : public testing::Test {
 protected:
  std::unique_ptr<Replay> replay(std::vector<std::string> paths) {
    auto opened = Replay::open(std::move(paths), clock);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }
  std::string file(const std::string& name, const std::string& content) {
    spill(dir / name, content);
    return dir / name;
  }
  // Lines up to the end, and the errors on the way.
  struct Outcome {
    uint64_t lines = 0;
    std::vector<std::string> errors;
  };
  Outcome run(Replay& source) {
    Outcome outcome;
    Source::Batch batch;
    while (!batch.finished) {
      if (const Result<void> done = source.read(batch); !done) outcome.errors.push_back(done.error().text);
      for (const RawLine& line : batch.lines) sequence.take(line.text);
      outcome.lines += batch.lines.size();
    }
    return outcome;
  }

  TempDir dir;
  FakeClock clock;
  Sequence sequence;
};

TEST_F(ReplayTest, ReadsPlainAndCompressedFilesInOrder) {
  const std::string gz = gzip(numbered_lines(1000, 30'000)) + gzip(numbered_lines(30'000, 31'000));
  const std::string xz_ = xz(numbered_lines(31'000, 60'000)) + xz(numbered_lines(60'000, 61'000));
  // Names say nothing.
  const auto source = replay({file("a.gz", numbered_lines(0, 1000)), file("b", gz), file("c.log", xz_), file("d", ""),
                              file("e", numbered_lines(61'000, 61'001))});
  const Outcome outcome = run(*source);
  EXPECT_TRUE(outcome.errors.empty());
  EXPECT_EQ(outcome.lines, 61'001U);
  EXPECT_EQ(source->counters().lines, 61'001U);
  EXPECT_EQ(source->counters().bytes, numbered_lines(0, 61'001).size());
  EXPECT_EQ(source->bytes_done(), source->bytes_total());
}

TEST_F(ReplayTest, TheLastLineNeedsNoEnd) {
  const auto source =
      replay({file("a", numbered(0)), file("b.gz", gzip(numbered(1))), file("c", numbered(2) + "\r\n")});
  EXPECT_EQ(run(*source).lines, 3U);
}

TEST_F(ReplayTest, LinesAreDatedByTheFilesLastChange) {
  const std::string path = file("a", "x\n");
  const timespec time{1'736'640'000, 500'000'000};
  const std::array<timespec, 2> times{time, time};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  const auto source = replay({path});
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  EXPECT_EQ(batch.lines.at(0).at, WallTime{Duration{1'736'640'000'500'000}});
  EXPECT_EQ(source->position().value, "file=" + path + " off=2");
}

TEST_F(ReplayTest, MissingFilesAndDirectoriesAreToldBefore) {
  const auto missing = Replay::open({file("a", "x\n"), dir / "none"}, clock);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, "open " + (dir / "none") + ": no such file or directory (ENOENT)");
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  const auto directory = Replay::open({dir.path()}, clock);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().text, "read " + dir.path() + ": it is a directory, name its files");
}

TEST_F(ReplayTest, AFileThatVanishesIsSkippedWithAnError) {
  const std::string path = file("a", "x\n");
  const auto source = replay({path, file("b", numbered_lines(0, 3))});
  fs::remove(path);
  const Outcome outcome = run(*source);
  EXPECT_EQ(outcome.errors, std::vector<std::string>{"open " + path + ": no such file or directory (ENOENT)"});
  EXPECT_EQ(outcome.lines, 3U);
}

TEST_F(ReplayTest, ATruncatedArchiveGivesItsLinesAndTheByte) {
  for (const bool with_xz : {false, true}) {
    sequence = Sequence();
    const std::string content = numbered_lines(0, 50'000);
    std::string archive = with_xz ? xz(content) : gzip(content);
    archive.resize(archive.size() * 3 / 4);
    const std::string path = file("a", archive);
    const auto source = replay({path});
    const Outcome outcome = run(*source);
    EXPECT_GT(outcome.lines, 20'000U);
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0], fmt::format("read {}: the {} archive ends too early at byte {}", path,
                                             with_xz ? "xz" : "gzip", archive.size()));
  }
}

TEST_F(ReplayTest, ADamagedArchiveGivesTheLinesBefore) {
  for (const bool with_xz : {false, true}) {
    sequence = Sequence();
    const std::string content = numbered_lines(0, 50'000);
    std::string archive = with_xz ? xz(content) : gzip(content);
    archive[archive.size() / 2] = static_cast<char>(archive[archive.size() / 2] ^ 0x55);
    archive[archive.size() / 2 + 1] = static_cast<char>(archive[archive.size() / 2 + 1] ^ 0x55);
    const auto source = replay({file("a", archive), file("b", "")});
    Source::Batch batch;
    std::vector<std::string> errors;
    uint64_t lines = 0;
    while (!batch.finished) {
      if (const Result<void> done = source->read(batch); !done) errors.push_back(done.error().text);
      lines += batch.lines.size();
    }
    EXPECT_GT(lines, 5'000U);
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].find("archive is corrupt"), std::string::npos) << errors[0];
  }
}

TEST_F(ReplayTest, PaddingBehindAGzipArchiveIsNoDamage) {
  const auto source = replay({file("a", gzip(numbered_lines(0, 10)) + std::string(100'000, '\0'))});
  const Outcome outcome = run(*source);
  EXPECT_TRUE(outcome.errors.empty());
  EXPECT_EQ(outcome.lines, 10U);
}

TEST_F(ReplayTest, SomethingElseBehindAGzipArchiveIsAnError) {
  const auto source = replay({file("a", gzip(numbered_lines(0, 10)) + "rest")});
  const Outcome outcome = run(*source);
  EXPECT_EQ(outcome.lines, 10U);
  ASSERT_EQ(outcome.errors.size(), 1U);
  EXPECT_NE(outcome.errors[0].find("is followed by something else at byte"), std::string::npos) << outcome.errors[0];
}

TEST_F(ReplayTest, StandardInputIsNow) {
  const std::string path = file("a", numbered_lines(0, 2));
  const Fd saved(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  const Fd input(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(dup2(input.get(), STDIN_FILENO), STDIN_FILENO);
  const auto source = replay({"-"});
  Source::Batch batch;
  const Result<void> done = source->read(batch);
  if (saved) dup2(saved.get(), STDIN_FILENO);
  ASSERT_TRUE(done);
  ASSERT_EQ(batch.lines.size(), 2U);
  EXPECT_EQ(batch.lines[0].at, clock.time);
}

TEST_F(ReplayTest, OfNothingIsFinishedAtOnce) {
  const auto source = replay({});
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  EXPECT_TRUE(batch.finished);
  EXPECT_FALSE(batch.more);
}

}  // namespace
}  // namespace palang
