#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/time.hpp"
#include "model/source.hpp"

namespace palang::test {

class FakeClock final : public Clock {
 public:
  WallTime time{std::chrono::hours{24 * 365 * 55}};
  [[nodiscard]] WallTime now() const override { return time; }
};

class TempDir {
 public:
  TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "palang-source-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void append(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  ASSERT_TRUE(fd) << path;
  ASSERT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

inline std::string numbered(uint64_t number) {
  return fmt::format("{:08} {:.{}}", number, "SRC=203.0.113.9 DST=198.51.100.6 LEN=40 TOS=0x00 PROTO=TCP SPT=64490",
                     number % 69);
}

inline std::string numbered_lines(uint64_t from, uint64_t to) {
  std::string text;
  for (uint64_t number = from; number < to; ++number) text += numbered(number) + "\n";
  return text;
}

// All lines there are now.
inline std::vector<std::string> read_all(Source& source) {
  std::vector<std::string> lines;
  Source::Batch batch;
  do {
    const Result<void> done = source.read(batch);
    EXPECT_TRUE(done) << done.error().text;
    if (!done) break;
    for (const RawLine& line : batch.lines) lines.emplace_back(line.text);
  } while (batch.more);
  return lines;
}

inline bool becomes_readable(int fd, int milliseconds = 2000) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, milliseconds) == 1;
}

// Checks that lines are numbered(0), numbered(1), …, each exactly once.
class Sequence {
 public:
  void take(std::string_view line) {
    if (failed_) return;
    failed_ = line != numbered(next_);
    if (failed_) ADD_FAILURE() << "expected line " << next_ << ", got '" << line.substr(0, 100) << "'";
    ++next_;
  }
  void take(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) take(line);
  }
  [[nodiscard]] uint64_t next() const { return next_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  uint64_t next_ = 0;
  bool failed_ = false;
};

}  // namespace palang::test
