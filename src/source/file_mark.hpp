#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace palang {

// One inode, as long as the machine runs and someone holds it.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

[[nodiscard]] inline FileId id_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

// Nanoseconds since 1970 of the last change of content.
[[nodiscard]] inline int64_t changed_ns(const struct stat& status) {
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// The last bytes of a stream, at most `span` of them: enough to hold a log line with its time.
class Window {
 public:
  static constexpr size_t span = 256;

  void append(std::string_view bytes) {
    if (bytes.size() > span) bytes.remove_prefix(bytes.size() - span);
    const size_t kept = std::min(size_, span - bytes.size());
    std::memmove(bytes_.data(), bytes_.data() + size_ - kept, kept);
    if (!bytes.empty()) std::memcpy(bytes_.data() + kept, bytes.data(), bytes.size());
    size_ = kept + bytes.size();
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, span> bytes_{};
  size_t size_ = 0;
};

// FNV-1a, 64 bits. Kept in ledgers: must never change.
[[nodiscard]] uint64_t fingerprint(std::string_view bytes);

inline constexpr uint64_t fingerprint_of_nothing = 0xcbf29ce484222325;

// How far one file was read, and how to know it again under another name, as a copy, or compressed: by what stands at
// its beginning and just before the offset. The inode number tells nothing alone, it is reused.
struct FileMark {
  FileId id;
  uint64_t offset = 0;  // always the start of a line
  uint64_t head =
      fingerprint_of_nothing;  // fingerprint of the first bytes, at most Window::span and none behind the offset
  uint64_t tail = fingerprint_of_nothing;  // fingerprint of the bytes before the offset, at most Window::span
  int64_t changed_ns = 0;

  [[nodiscard]] bool same_content(const FileMark& other) const {
    return offset == other.offset && head == other.head && tail == other.tail;
  }
};

// "dev=2049 ino=131 off=5120 head=0123456789abcdef tail=… mtime=1736640000000000000; dev=…": the files that are being
// read, oldest first.
[[nodiscard]] std::string format_marks(const std::vector<FileMark>& marks);
[[nodiscard]] Result<std::vector<FileMark>> parse_marks(std::string_view text);

}  // namespace palang
