#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace palang {

// Where the files of the host lie: "" is the host itself, a directory is a copy of its /proc, /etc, /run and /var.
class HostRoot {
 public:
  explicit HostRoot(std::string directory = {}) : directory_(std::move(directory)) {}

  [[nodiscard]] bool is_this_host() const { return directory_.empty(); }
  [[nodiscard]] std::string path(std::string_view absolute) const { return directory_ + std::string(absolute); }

  // The content of a file, cut at `limit` bytes; never blocks on a FIFO or a device.
  [[nodiscard]] Result<std::string> read(std::string_view absolute, size_t limit) const;

 private:
  std::string directory_;
};

}  // namespace palang
