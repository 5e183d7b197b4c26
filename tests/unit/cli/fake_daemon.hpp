#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace palang {

// Answers each connection on a unix socket of its own with what `answer` makes of the request, then hangs up.
class FakeDaemon {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit FakeDaemon(Answer answer) : answer_(std::move(answer)) {
    char name[] = "/tmp/palang_cli_XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    thread_ = std::thread([this] { serve(); });
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() {
    finish();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string path() const { return directory_ + "/palang.sock"; }
  // What it was asked so far; no more is answered.
  const std::vector<std::string>& finish() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return requests_;
  }

 private:
  void serve() {
    for (;;) {
      const Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      const std::string request = read_request(peer.get());
      requests_.push_back(request);
      const std::string reply = answer_(request);
      ::send(peer.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    }
  }
  static std::string read_request(int fd) {
    std::string request;
    for (;;) {
      const size_t head = request.find("\r\n\r\n");
      const size_t length = request.find("Content-Length: ");
      const size_t body = length == std::string::npos ? 0 : std::stoul(request.substr(length + 16));
      if (head != std::string::npos && request.size() >= head + 4 + body) return request;
      pollfd readable{fd, POLLIN, 0};
      char buffer[4096];
      if (::poll(&readable, 1, 5000) <= 0) return request;
      const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return request;
      request.append(buffer, static_cast<size_t>(got));
    }
  }

  Answer answer_;
  std::string directory_;
  Fd listener_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

inline std::string http(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace palang
