#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// Where the API listens.
struct ApiEndpoint {
  std::string path = "/run/palang/palang.sock";
  std::string group = "palang";  // may speak to us besides root; where there is no such group, only root may
};

// A unix socket under its name in the file system; the name goes with the object, unless it is someone else's by then.
class ListeningSocket {
 public:
  // Creates the directory (0755) where it is missing. A socket file on which nobody answers is replaced; one on which
  // somebody does is an error, and so is any other file. The name appears with its group and mode
  // (0660; 0600 without the group) complete.
  [[nodiscard]] static Result<ListeningSocket> bind(const ApiEndpoint& endpoint);

  ListeningSocket(ListeningSocket&& other) noexcept
      : path_(std::move(other.path_)),
        fd_(std::move(other.fd_)),
        group_(other.group_),
        device_(other.device_),
        inode_(std::exchange(other.inode_, 0)) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int release() { return fd_.release(); }

  // Whether the process behind an accepted connection is root, our own user, or in the group (SO_PEERCRED and
  // SO_PEERGROUPS, unix(7)): holds also where somebody widened the mode of the file.
  [[nodiscard]] bool may_speak(int connection) const;

 private:
  ListeningSocket(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  [[nodiscard]] Result<void> publish(const std::string& temporary);

  std::string path_;
  Fd fd_;
  std::optional<gid_t> group_;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: nothing to remove
};

}  // namespace palang
