#include "app/followed_files.hpp"

#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace palang {
namespace {

std::vector<std::string> files_of(const std::string& pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> owned(&found, ::globfree);
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) != 0) return paths;
  for (size_t i = 0; i < found.gl_pathc; ++i) {
    struct stat status{};
    if (::stat(found.gl_pathv[i], &status) == 0 && S_ISREG(status.st_mode)) paths.emplace_back(found.gl_pathv[i]);
  }
  std::ranges::sort(paths);
  return paths;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Of "*error*.log", not of "*.log": by that any log would be PostgreSQL's.
bool says_a_name(const std::string& file_glob) {
  const std::string stem = file_glob.substr(0, file_glob.find('.'));
  return std::ranges::any_of(stem, [](char c) { return c != '*' && c != '?'; });
}

}  // namespace

std::string_view name_before_rotation(std::string_view path) {
  for (const std::string_view packed : {".gz", ".xz", ".bz2", ".zst"})
    if (path.ends_with(packed)) path.remove_suffix(packed.size());
  const size_t dot = path.find_last_of(".-");
  if (dot == std::string_view::npos || dot == 0) return path;
  const std::string_view tail = path.substr(dot + 1);
  const bool numbered = path[dot] == '.' && tail.size() <= 4 && all_digits(tail);
  const bool dated = tail.size() == 8 && all_digits(tail);
  return numbered || dated ? path.substr(0, dot) : path;
}

std::string path_for_rules(const std::string& path, const std::vector<std::string>& globs) {
  std::error_code error;
  const std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  std::string plain(name_before_rotation(error ? path : whole));
  const std::string name = std::filesystem::path(plain).filename().string();
  for (const std::string& glob : globs)
    if (::fnmatch(glob.c_str(), plain.c_str(), FNM_PATHNAME) == 0) return plain;
  std::string best;
  for (const std::string& glob : globs) {
    const std::filesystem::path pattern(glob);
    const std::string of_files = pattern.filename().string();
    const std::string directory = pattern.parent_path().string();
    if (::fnmatch(of_files.c_str(), name.c_str(), FNM_PATHNAME) != 0 || !says_a_name(of_files)) continue;
    if (directory.find_first_of("*?[") != std::string::npos) continue;
    // Both Apache and nginx have an error.log; "nginx" somewhere in the path says whose it is.
    const bool says_whose = plain.find(pattern.parent_path().filename().string()) != std::string::npos;
    if (best.empty() || says_whose) best = std::filesystem::path(directory) / name;
    if (says_whose) break;
  }
  if (!best.empty()) return best;
  return plain;
}

FollowedFiles::News FollowedFiles::look() {
  News news;
  for (const std::string& glob : globs_) {
    for (std::string& path : files_of(glob)) {
      if (name_before_rotation(path) != path || known_.contains(path)) continue;
      if (followed_ >= most_files) {
        ++news.too_many;
        if (known_.size() < 10 * most_files) known_.insert(std::move(path));
        continue;
      }
      ++followed_;
      known_.insert(path);
      news.paths.push_back(std::move(path));
    }
  }
  return news;
}

}  // namespace palang
