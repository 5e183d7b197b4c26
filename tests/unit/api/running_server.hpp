#pragma once

#include <event2/event.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "api/server.hpp"
#include "samples.hpp"

namespace palang {

inline constexpr int patience_ms = 5000;

class FakeDaemon final : public CommandHandler {
 public:
  Result<Reply> handle(const Command& command) override {
    if (std::holds_alternative<GetStatus>(command)) return sample_status();
    if (std::holds_alternative<ListBans>(command)) return BansReply{std::vector<BanView>(bans, sample_ban()), bans};
    if (std::holds_alternative<UnbanPrefix>(command)) return Failure(Error::not_found("198.51.100.9 is not banned"));
    if (std::holds_alternative<ReloadConfig>(command)) return Failure(Error::bad_config("palang.toml:3: no such key"));
    if (std::holds_alternative<AllowPrefix>(command)) return fail("write to the ledger: no space left on device");
    return DoneReply{{"done"}};
  }
  size_t bans = 1;
};

// A connection that speaks raw bytes.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }

  void send(std::string_view bytes) const { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Reads until `enough(all so far)` or the end; "" if that takes too long.
  std::string read_until(const std::function<bool(const std::string&)>& enough) {
    while (!enough(seen_)) {
      pollfd readable{fd_.get(), POLLIN, 0};
      if (::poll(&readable, 1, patience_ms) <= 0) return "";
      char buffer[65536];
      const ssize_t length = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (length <= 0) break;
      seen_.append(buffer, static_cast<size_t>(length));
    }
    return seen_;
  }
  std::string read_all() {
    return read_until([](const std::string&) { return false; });
  }
  std::string read_to(std::string_view what) {
    return read_until([what](const std::string& seen) { return seen.find(what) != std::string::npos; });
  }

 private:
  Fd fd_;
  bool connected_ = false;
  std::string seen_;
};

struct FreeBase {
  void operator()(event_base* base) const { event_base_free(base); }
};

struct FreeEvent {
  void operator()(event* one) const { event_free(one); }
};

// A server with its loop in a thread of its own, which is handed work through a pipe.
class Server {
 public:
  explicit Server(const std::string& path, size_t bans = 1) : base_(event_base_new()) {
    daemon_.bans = bans;
    auto server = ApiServer::listen(base_.get(), {path, ""}, daemon_);
    EXPECT_TRUE(server.has_value()) << server.error().text;
    server_ = std::move(*server);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
    wakeup_.reset(event_new(base_.get(), ends[0], EV_READ | EV_PERSIST, &Server::on_work, this));
    event_add(wakeup_.get(), nullptr);
    loop_ = std::thread([this] { event_base_dispatch(base_.get()); });
  }
  ~Server() { stop(); }

  void stop() {
    if (!loop_.joinable()) return;
    in_loop([this](ApiServer&) { event_base_loopbreak(base_.get()); });
    loop_.join();
    server_.reset();
  }
  // Runs `work` in the loop thread and waits for it.
  void in_loop(const std::function<void(ApiServer&)>& work) {
    std::promise<void> done;
    const std::function<void()> job = [&] {
      work(*server_);
      done.set_value();
    };
    const std::function<void()>* const pointer = &job;
    ASSERT_EQ(::write(write_end_.get(), &pointer, sizeof pointer), static_cast<ssize_t>(sizeof pointer));
    done.get_future().wait();
  }
  // Lets the loop go round until `reached`.
  bool eventually(const std::function<bool(ApiServer&)>& reached) {
    for (int round = 0; round < patience_ms; ++round) {
      bool now = false;
      in_loop([&](ApiServer& server) { now = reached(server); });
      if (now) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }

 private:
  static void on_work(int fd, short, void*) {
    const std::function<void()>* job = nullptr;
    if (::read(fd, &job, sizeof job) == static_cast<ssize_t>(sizeof job)) (*job)();
  }

  FakeDaemon daemon_;
  std::unique_ptr<event_base, FreeBase> base_;
  std::unique_ptr<ApiServer> server_;
  Fd read_end_;
  Fd write_end_;
  std::unique_ptr<event, FreeEvent> wakeup_;
  std::thread loop_;
};

class ApiServerTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/palang_api_XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
    path_ = directory_ + "/run/palang.sock";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string ask(std::string_view method, std::string_view target, std::string_view body = "") const {
    Client client(path_);
    std::string request;
    request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: palang\r\nConnection: close\r\n");
    request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    client.send(request);
    return client.read_all();
  }

  std::string directory_;
  std::string path_;
};

}  // namespace palang
