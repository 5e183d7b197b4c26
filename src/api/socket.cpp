#include "api/socket.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/log.hpp"

namespace palang {
namespace {

constexpr int backlog = 64;

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(
        fmt::format("listen on '{}': the path of a unix socket has 1 to {} bytes", path, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<Fd> open_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_os("open", "a unix socket", errno);
  return fd;
}

Result<void> ensure_directory(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) return {};
  if (::mkdir(directory.c_str(), 0755) == 0) {
    // The umask of who started us must not lock the group out.
    if (::chmod(directory.c_str(), 0755) != 0) return fail_os("change the mode of", directory, errno);
    return {};
  }
  if (errno != EEXIST) return fail_os("create the directory", directory, errno);
  return {};
}

// That nothing at `path` is in the way but a socket on which nobody answers.
Result<void> expect_unused(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return fail_os("look at", path, errno);
  }
  if (!S_ISSOCK(found.st_mode))
    return fail(fmt::format("listen on {}: a file that is not a socket is in the way", path));
  Result<Fd> probe = open_socket();
  if (!probe) return Failure(probe.error());
  // EAGAIN: its queue is full, so somebody is there.
  if (::connect(probe->get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
    return fail(fmt::format("another palang answers on {}", path));
  if (errno != ECONNREFUSED && errno != ENOENT) return fail_os("connect to", path, errno);
  return {};
}

std::optional<gid_t> group_id(const std::string& name) {
  if (name.empty()) return std::nullopt;
  std::vector<char> buffer(16'384);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return entry.gr_gid;
}

// Gives the socket file its group, where there is one and we are allowed to.
std::optional<gid_t> hand_to_group(const std::string& path, const std::string& name) {
  const std::optional<gid_t> group = group_id(name);
  if (!group) return std::nullopt;
  if (::chown(path.c_str(), static_cast<uid_t>(-1), *group) == 0) return group;
  log_warning(
      fmt::format("give {} to the group {}: {}; only root can speak to the daemon", path, name, describe_errno(errno)));
  return std::nullopt;
}

std::vector<gid_t> peer_groups(int connection) {
  std::vector<gid_t> groups(64);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  int status = ::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  if (status != 0 && errno == ERANGE) {
    groups.resize(size / sizeof(gid_t));
    status = ::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  }
  groups.resize(status == 0 ? size / sizeof(gid_t) : 0);
  return groups;
}

}  // namespace

Result<ListeningSocket> ListeningSocket::bind(const ApiEndpoint& endpoint) {
  const Result<sockaddr_un> address = socket_address(endpoint.path);
  if (!address) return Failure(address.error());
  if (auto made = ensure_directory(endpoint.path); !made) return Failure(made.error());
  if (auto unused = expect_unused(endpoint.path, *address); !unused) return Failure(unused.error());

  // Bound under another name first: nobody can connect before owner and mode are right.
  const std::string temporary = fmt::format("{}.{}", endpoint.path, ::getpid());
  const Result<sockaddr_un> temporary_address = socket_address(temporary);
  if (!temporary_address) return Failure(temporary_address.error());
  Result<Fd> fd = open_socket();
  if (!fd) return Failure(fd.error());
  ::unlink(temporary.c_str());
  if (::bind(fd->get(), generic(*temporary_address), sizeof(sockaddr_un)) != 0)
    return fail_os("bind a unix socket to", temporary, errno);

  ListeningSocket socket(endpoint.path, std::move(*fd));
  socket.group_ = hand_to_group(temporary, endpoint.group);
  if (auto published = socket.publish(temporary); !published) {
    ::unlink(temporary.c_str());
    return Failure(published.error());
  }
  return socket;
}

Result<void> ListeningSocket::publish(const std::string& temporary) {
  if (::chmod(temporary.c_str(), group_ ? 0660 : 0600) != 0) return fail_os("change the mode of", temporary, errno);
  if (::listen(fd_.get(), backlog) != 0) return fail_os("listen on", path_, errno);
  struct stat mine{};
  if (::lstat(temporary.c_str(), &mine) != 0) return fail_os("look at", temporary, errno);
  if (std::rename(temporary.c_str(), path_.c_str()) != 0) return fail_os("rename a socket to", path_, errno);
  device_ = mine.st_dev;
  inode_ = mine.st_ino;
  return {};
}

ListeningSocket::~ListeningSocket() {
  struct stat now{};
  if (inode_ == 0 || ::lstat(path_.c_str(), &now) != 0) return;
  if (now.st_dev == device_ && now.st_ino == inode_) ::unlink(path_.c_str());
}

bool ListeningSocket::may_speak(int connection) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
  if (!group_) return false;
  return peer.gid == *group_ || std::ranges::count(peer_groups(connection), *group_) > 0;
}

}  // namespace palang
