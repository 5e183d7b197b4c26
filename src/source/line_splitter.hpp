#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace palang {

// Splits a stream of bytes into lines, in place and without allocating per line.
//
// A line is what stands before a '\n', less one '\r' at its end. All other bytes are ordinary, NUL too. Of a line
// longer than `longest_line` the first `longest_line` bytes are delivered, when its end has been seen; the rest is
// dropped. A line without end stays until it is completed.
//
//   const std::span<char> room = splitter.room();
//   const size_t bytes = read into room;
//   splitter.split(bytes, [&](std::string_view line) { … });
//
// Lines are views into the splitter's buffer, valid until the next room() or release().
class LineSplitter {
 public:
  static constexpr size_t longest_line = size_t{64} * 1024;
  static constexpr size_t default_chunk = size_t{256} * 1024;

  // `chunk` is the size of room().
  explicit LineSplitter(size_t chunk = default_chunk) : chunk_(chunk) {}

  // Where the next bytes go; moves the unfinished line to the front of the buffer first.
  [[nodiscard]] std::span<char> room() {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kept_of_line + chunk_);
    size_t kept = filled_ - line_;
    if (kept > kept_of_line) {
      dropped_ += kept - kept_of_line;
      kept = kept_of_line;
    }
    if (line_ > 0 && kept > 0) std::memmove(buffer_.get(), buffer_.get() + line_, kept);
    line_ = 0;
    filled_ = kept;
    return {buffer_.get() + filled_, chunk_};
  }

  // `fresh` bytes were written into room(); calls take(std::string_view) for each line that they complete.
  template <typename Take>
  void split(size_t fresh, Take&& take) {
    const char* from = buffer_.get() + filled_;
    const char* line = buffer_.get() + line_;
    filled_ += fresh;
    const char* const end = buffer_.get() + filled_;
    while (from < end) {
      const void* const newline = std::memchr(from, '\n', static_cast<size_t>(end - from));
      if (newline == nullptr) break;
      const char* const stop = static_cast<const char*>(newline);
      take(content({line, static_cast<size_t>(stop - line)}));
      from = line = stop + 1;
    }
    line_ = static_cast<size_t>(line - buffer_.get());
  }

  // The stream has ended: delivers the last line, if it has no end.
  template <typename Take>
  void finish(Take&& take) {
    if (pending() == 0) return;
    take(content({buffer_.get() + line_, filled_ - line_}));
    line_ = filled_;
  }

  // Forgets the unfinished line.
  void forget() {
    line_ = filled_ = 0;
    dropped_ = 0;
  }

  // Gives the memory back until it is needed again, unless there is an unfinished line in it.
  void release() {
    if (pending() > 0) return;
    forget();
    buffer_.reset();
  }

  // Bytes since the end of the last line, dropped ones included.
  [[nodiscard]] uint64_t pending() const { return filled_ - line_ + dropped_; }
  // Lines over `longest_line` so far.
  [[nodiscard]] uint64_t cut_lines() const { return cut_; }

 private:
  static constexpr size_t kept_of_line = longest_line + 1;  // a '\r' may follow the longest line

  [[nodiscard]] std::string_view content(std::string_view raw) {
    const bool whole = dropped_ == 0;
    dropped_ = 0;
    if (whole && !raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
    if (whole && raw.size() <= longest_line) return raw;
    ++cut_;
    return raw.substr(0, longest_line);
  }

  size_t chunk_;
  std::unique_ptr<char[]> buffer_;
  size_t line_ = 0;       // where the unfinished line begins
  size_t filled_ = 0;     // end of the bytes in the buffer
  uint64_t dropped_ = 0;  // bytes of the unfinished line that are not in the buffer
  uint64_t cut_ = 0;
};

}  // namespace palang
