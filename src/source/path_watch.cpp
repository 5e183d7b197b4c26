#include "source/path_watch.hpp"

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ranges>

#include "source/rotated_files.hpp"

namespace palang {
namespace {

constexpr uint32_t names_mask =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t file_mask = IN_MODIFY | IN_ATTRIB;

Failure fail_watch(const std::string& path, int os_error) {
  Failure failure = fail_os("watch", path, os_error);
  if (os_error == ENOSPC) failure.error().text += ": raise the limit fs.inotify.max_user_watches";
  return failure;
}

}  // namespace

Result<PathWatch> PathWatch::create(std::string path) {
  Fd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) {
    const int os_error = errno;
    Failure failure = fail_os("watch", path, os_error);
    if (os_error == EMFILE) failure.error().text += ": raise the limit fs.inotify.max_user_instances";
    return failure;
  }
  // Readable from the start, as there may be a file already: removing a watch is an event.
  const int watch = inotify_add_watch(fd.get(), "/", names_mask);
  if (watch < 0) return fail_watch(path, errno);
  inotify_rm_watch(fd.get(), watch);
  return PathWatch(std::move(fd), std::move(path));
}

bool PathWatch::drain() {
  constexpr int most_reads = 256;  // events of a busy directory must not keep us from reading
  alignas(inotify_event) std::array<char, 16384> buffer{};
  bool names_changed = false;
  for (int reads = 0; reads < most_reads; ++reads) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (size_t at = 0; at < static_cast<size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      if (event.mask != IN_MODIFY) names_changed = true;
    }
  }
  return names_changed;
}

Result<void> PathWatch::watch_way_to(const std::string& directory, std::vector<int>& watches) {
  std::vector<std::string> way{directory};
  for (std::string above = directory_of(directory); above != way.back(); above = directory_of(above))
    way.push_back(above);
  // From the top: what is missing below a watched directory can't appear unnoticed.
  for (const std::string& place : way | std::views::reverse) {
    const int watch = inotify_add_watch(fd_.get(), place.c_str(), names_mask);
    if (watch >= 0) {
      watches.push_back(watch);
    } else if (errno == ENOSPC || errno == ENOMEM) {
      return fail_watch(place, errno);
    }
  }
  return {};
}

Result<void> PathWatch::watch_names() {
  std::vector<int> watches;
  for (const std::string& name : names_of(path_))
    if (const Result<void> watched = watch_way_to(directory_of(name), watches); !watched) return watched;
  for (const int old : names_)
    if (std::ranges::find(watches, old) == watches.end()) unwatch(old);
  names_ = std::move(watches);
  return {};
}

Result<int> PathWatch::watch_file(int file, const std::string& path) {
  const std::string by_descriptor = "/proc/self/fd/" + std::to_string(file);
  int watch = inotify_add_watch(fd_.get(), by_descriptor.c_str(), file_mask);
  if (watch < 0 && errno == ENOENT) watch = inotify_add_watch(fd_.get(), path.c_str(), file_mask);  // no /proc
  if (watch < 0) return fail_watch(path, errno);
  return watch;
}

void PathWatch::unwatch(int watch) {
  inotify_rm_watch(fd_.get(), watch);  // fails only if the kernel has removed it already
}

}  // namespace palang
