#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// inotify(7) on everything that says that one path may have something new: the directories on the
// way to it, as far as they exist, those of the links it goes through, and the files that are being read.
class PathWatch {
 public:
  [[nodiscard]] static Result<PathWatch> create(std::string path);

  [[nodiscard]] int fd() const { return fd_.get(); }

  // Consumes what was reported. True: names may have changed, so watch_names() is due.
  [[nodiscard]] bool drain();
  [[nodiscard]] Result<void> watch_names();

  // Until unwatch(). Works on the inode, whatever it is called by now.
  [[nodiscard]] Result<int> watch_file(int file, const std::string& path);
  void unwatch(int watch);

 private:
  PathWatch(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  [[nodiscard]] Result<void> watch_way_to(const std::string& directory, std::vector<int>& watches);

  Fd fd_;
  std::string path_;
  std::vector<int> names_;  // watches on directories
};

}  // namespace palang
