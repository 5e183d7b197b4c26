#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace palang::make {

// A directory like /etc/fail2ban, gone at the end of the test.
class Fail2banTree {
 public:
  Fail2banTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "palang-f2b-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    root_ = pattern;
  }
  Fail2banTree(const Fail2banTree&) = delete;
  Fail2banTree& operator=(const Fail2banTree&) = delete;
  ~Fail2banTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  Fail2banTree& file(std::string_view name, std::string_view text) {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return *this;
  }
  [[nodiscard]] std::string root() const { return root_; }
  [[nodiscard]] std::string path(std::string_view name) const { return root_ / name; }

 private:
  std::filesystem::path root_;
};

}  // namespace palang::make
