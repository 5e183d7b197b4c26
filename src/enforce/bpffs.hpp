#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// Mounts a BPF file system at `directory` unless it is one. Needs CAP_SYS_ADMIN for that.
[[nodiscard]] Result<void> mount_bpffs(const std::string& directory);

// A directory of ours in a BPF file system. Programs, maps and links that are pinned there outlive the daemon.
// Names are those of files and must not contain dots.
class Bpffs {
 public:
  // Makes the directory; its parent must lie in a BPF file system.
  [[nodiscard]] static Result<Bpffs> open(std::string directory);

  // The directory as it is; none: there is no such directory, or nowhere it could be.
  [[nodiscard]] static std::optional<Bpffs> find(std::string directory);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // None: nothing of this name is pinned.
  [[nodiscard]] Result<std::optional<Fd>> get(std::string_view name) const;
  // Takes the place of what is pinned by this name; at every moment one or the other is.
  [[nodiscard]] Result<void> pin(int fd, std::string_view name) const;
  [[nodiscard]] Result<void> remove(std::string_view name) const;
  // Ascending.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  // With the directory itself.
  [[nodiscard]] Result<void> remove_everything() const;

 private:
  explicit Bpffs(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }

  std::string directory_;
};

}  // namespace palang
