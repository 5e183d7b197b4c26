#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "model/source.hpp"
#include "source/byte_reader.hpp"
#include "source/file_mark.hpp"
#include "source/line_splitter.hpp"

namespace palang {

// One file that is being read, whatever it is called by now; a rotated one may be a gzip or xz archive, whose offsets
// are those of the content.
class TailedFile {
 public:
  // A regular file, at its beginning. Error: not readable, not a regular file.
  [[nodiscard]] static Result<TailedFile> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }  // as it was opened
  [[nodiscard]] FileId id() const { return id_; }
  [[nodiscard]] bool is_archive() const { return archive_ != nullptr; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] struct stat status() const;

  // Goes to where `mark` stands in the same content. False: this is another content; then the file is to be discarded.
  [[nodiscard]] Result<bool> resume(const FileMark& mark);
  // Goes to the beginning, past a hole and NULs that a writer left who was not told of a truncation.
  [[nodiscard]] Result<void> restart();
  // Goes to the start of the last line without end, or to the end.
  [[nodiscard]] Result<void> skip_to_end();

  enum class Outcome : uint8_t {
    data,
    end,        // nothing new
    truncated,  // what was read before is not there any more
  };
  // Appends the lines of the next chunk; they are valid until the next call, `full` when more may be there.
  struct Read {
    Outcome outcome = Outcome::end;
    bool full = false;
  };
  [[nodiscard]] Result<Read> read(std::vector<RawLine>& lines, WallTime at, SourceCounters& counters);

  [[nodiscard]] Result<bool> was_truncated() const;
  // All there is has been read. Not for archives, they tell by Outcome::end.
  [[nodiscard]] bool at_end() const { return static_cast<uint64_t>(status().st_size) <= offset_; }
  // Behind the last line.
  [[nodiscard]] FileMark mark() const;
  // A mark to know the content by, even where nothing has been read.
  [[nodiscard]] FileMark content_mark() const;

 private:
  TailedFile(Fd fd, std::string path, FileId id) : fd_(std::move(fd)), path_(std::move(path)), id_(id) {}

  [[nodiscard]] Result<bool> resume_archive(const FileMark& mark);
  [[nodiscard]] Result<void> seek(uint64_t offset);
  [[nodiscard]] Result<size_t> read_at(uint64_t offset, std::span<char> into) const;
  // The next bytes, or none and `truncated` when the bytes before them have changed.
  [[nodiscard]] Result<size_t> read_checked(std::span<char> into, bool& truncated);
  void remember(std::string_view chunk, size_t behind_last_line);

  Fd fd_;
  std::string path_;
  FileId id_;
  std::unique_ptr<ByteReader> archive_;
  LineSplitter splitter_;
  uint64_t offset_ = 0;  // of the next byte to read
  std::string head_;     // the first bytes of the file, at most Window::span
  Window recent_;        // the bytes before offset_
  Window before_line_;   // the bytes before the line that has no end yet
};

}  // namespace palang
