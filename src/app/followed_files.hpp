#pragma once

#include <set>
#include <string>
#include <vector>

namespace palang {

// The log files that rules name by globs: those that exist, and those that appear later.
class FollowedFiles {
 public:
  // Each file takes an inotify instance, of which Linux gives one user 128 (fs.inotify.max_user_instances).
  static constexpr size_t most_files = 100;

  void use(std::vector<std::string> globs) { globs_ = std::move(globs); }
  // Files that are read anyhow.
  void leave_out(const std::string& path) { known_.insert(path); }

  struct News {
    std::vector<std::string> paths;  // to be read from now on
    size_t too_many = 0;             // files beyond the limit that were seen for the first time
  };
  // What is there now and was not when it was asked last. Rotated files are left out: they are read as the past of
  // the file they were.
  [[nodiscard]] News look();
  [[nodiscard]] size_t size() const { return followed_; }

 private:
  std::vector<std::string> globs_;
  std::set<std::string, std::less<>> known_;
  size_t followed_ = 0;
};

// "access.log.1", "access.log.2.gz", "access.log-20250112": the name that the file had before it was rotated away;
// the same name if it was not.
[[nodiscard]] std::string_view name_before_rotation(std::string_view path);

// Under which path rules know the lines of a file that lies elsewhere, a copy or an older one: where its name is like
// that of a file that rules name. Else its own path.
[[nodiscard]] std::string path_for_rules(const std::string& path, const std::vector<std::string>& globs);

}  // namespace palang
