#include "enforce/bpffs.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace palang {
namespace {

constexpr std::string_view unfinished = "unfinished_";  // a pin that is yet to take its place

bool is_bpffs(const std::string& directory) {
  struct statfs found{};
  return ::statfs(directory.c_str(), &found) == 0 && found.f_type == BPF_FS_MAGIC;
}

}  // namespace

Result<void> mount_bpffs(const std::string& directory) {
  if (is_bpffs(directory)) return {};
  if (::mount("bpf", directory.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return fail_os("mount a BPF file system at", directory, errno);
  return {};
}

Result<Bpffs> Bpffs::open(std::string directory) {
  const std::string parent = std::filesystem::path(directory).parent_path();
  if (!is_bpffs(parent))
    return fail(fmt::format("no BPF file system is mounted at {}, so bans would end with the daemon", parent));
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fail_os("make the directory", directory, errno);
  return Bpffs(std::move(directory));
}

std::optional<Bpffs> Bpffs::find(std::string directory) {
  if (!is_bpffs(directory)) return std::nullopt;
  return Bpffs(std::move(directory));
}

Result<std::optional<Fd>> Bpffs::get(std::string_view name) const {
  Fd found(::bpf_obj_get(path(name).c_str()));
  if (found) return std::optional(std::move(found));
  if (errno == ENOENT) return std::nullopt;
  return fail_os("open what is pinned at", path(name), errno);
}

Result<void> Bpffs::pin(int fd, std::string_view name) const {
  const std::string place = path(name);
  const std::string aside = path(fmt::format("{}{}", unfinished, name));
  (void)::unlink(aside.c_str());  // left by a daemon that died in here
  if (::bpf_obj_pin(fd, aside.c_str()) != 0) return fail_os("pin", place, errno);
  if (::rename(aside.c_str(), place.c_str()) != 0) {
    const int cause = errno;
    (void)::unlink(aside.c_str());
    return fail_os("pin", place, cause);
  }
  return {};
}

Result<void> Bpffs::remove(std::string_view name) const {
  if (::unlink(path(name).c_str()) != 0 && errno != ENOENT) return fail_os("unpin", path(name), errno);
  return {};
}

Result<std::vector<std::string>> Bpffs::names() const {
  std::vector<std::string> all;
  std::error_code trouble;
  for (auto entry = std::filesystem::directory_iterator(directory_, trouble);
       !trouble && entry != std::filesystem::directory_iterator(); entry.increment(trouble)) {
    std::string name = entry->path().filename();
    if (!name.starts_with(unfinished)) all.push_back(std::move(name));
  }
  if (trouble) return fail_os("list", directory_, trouble.value());
  std::ranges::sort(all);
  return all;
}

Result<void> Bpffs::remove_everything() const {
  std::error_code trouble;
  std::filesystem::remove_all(directory_, trouble);
  if (trouble) return fail_os("remove", directory_, trouble.value());
  return {};
}

}  // namespace palang
