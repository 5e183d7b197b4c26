#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "host/root.hpp"

namespace palang {

// A directory with a copy of as much of a host as a test needs; gone with the object.
class TempRoot {
 public:
  TempRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "palang-host-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
  }
  TempRoot(const TempRoot&) = delete;
  TempRoot& operator=(const TempRoot&) = delete;
  ~TempRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] HostRoot root() const { return HostRoot(directory_); }
  [[nodiscard]] std::string path(std::string_view absolute) const { return directory_ + std::string(absolute); }

  void write(std::string_view absolute, std::string_view text) const {
    make_parent(absolute);
    std::ofstream(path(absolute), std::ios::binary) << text;
  }
  void link(std::string_view absolute, std::string_view target) const {
    make_parent(absolute);
    std::filesystem::create_symlink(target, path(absolute));
  }

 private:
  void make_parent(std::string_view absolute) const {
    std::filesystem::create_directories(std::filesystem::path(path(absolute)).parent_path());
  }

  std::string directory_;
};

}  // namespace palang
