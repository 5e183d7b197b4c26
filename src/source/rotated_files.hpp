#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/file_mark.hpp"

namespace palang {

// The path itself and, where it is a symbolic link, what it points to; a link to nothing counts.
[[nodiscard]] std::vector<std::string> names_of(const std::string& path);

// The directory that `path` stands in: "/var/log" of "/var/log/kern.log", "." of "kern.log".
[[nodiscard]] std::string directory_of(const std::string& path);

// A file beside a log, whose name begins with the log's: "kern.log.1", "kern.log-20250112.gz".
struct RotatedFile {
  std::string path;
  FileId id;
  int64_t changed_ns = 0;
  bool archive = false;   // .gz or .xz
  bool rotation = false;  // named as a rotation names: digits and dates after the log's name, or ".old"
};

// Oldest first: by last change; within the resolution of the file system's clock, by the numbers that rotation gives
// (".2" is older than ".1", "-20250111" older than "-20250112"). An archive beside its original is left out.
[[nodiscard]] std::vector<RotatedFile> rotated_files_of(const std::string& path);

}  // namespace palang
