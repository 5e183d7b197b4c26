#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/source.hpp"
#include "source/byte_reader.hpp"
#include "source/line_splitter.hpp"

namespace palang {

// Reads files one after the other as fast as the caller takes them: plain, gzip or xz, told apart by content; "-" is
// standard input. Every line is `at` its file's last change (standard input: now). A last line without end counts.
//
// After an error, which names the file and the byte, read() goes on with the next file.
class Replay final : public Source {
 public:
  // Error: a file is missing or a directory.
  [[nodiscard]] static Result<std::unique_ptr<Replay>> open(std::vector<std::string> paths, const Clock& clock);
  // Under which path the lines of each file are given, where that is another: a copy stands for the log it was made of.
  void pretend(std::vector<std::string> origins) { origins_ = std::move(origins); }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override { return -1; }
  // Waits only for standard input.
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // "file=PATH off=N", bytes of whole lines after decompression; for people only.
  [[nodiscard]] Position position() const override;
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

  // For a progress bar: bytes as they lie on disk. Standard input has no total.
  [[nodiscard]] uint64_t bytes_done() const { return done_ + (reader_ ? reader_->consumed() : 0); }
  [[nodiscard]] uint64_t bytes_total() const { return total_; }

 private:
  Replay(std::vector<std::string> paths, const Clock& clock) : paths_(std::move(paths)), clock_(clock) {}

  Result<void> begin_file();
  void end_file();
  [[nodiscard]] Result<size_t> read_chunk(std::span<char> room);

  std::string name_ = "replay";
  std::vector<std::string> paths_;
  std::vector<std::string> origins_;  // empty: the paths
  const Clock& clock_;
  size_t next_ = 0;    // the file after the present one
  LineOrigin origin_;  // of the lines of the last batch
  std::unique_ptr<ByteReader> reader_;
  WallTime at_;
  uint64_t offset_ = 0;  // in the present file, after decompression
  uint64_t done_ = 0;    // on disk, of the files before
  uint64_t total_ = 0;
  LineSplitter splitter_;
  SourceCounters counters_;
};

}  // namespace palang
