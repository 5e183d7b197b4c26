// Live admins on a real sshd: who has been let in is found, who only holds a connection open is not.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/fd.hpp"
#include "host/live_admins.hpp"
#include "own_namespace.hpp"
#include "temp_root.hpp"

namespace palang {
namespace {

constexpr const char* sshd_path = "/usr/sbin/sshd";
constexpr uint16_t port = 2022;

// Waits for other processes, 10 s at most.
bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

sockaddr_in endpoint(const char* address, uint16_t number) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(number);
  inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

// A connection from `source` to sshd that never says anything; not valid where sshd doesn't greet it.
Fd silent_connection(const char* source) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in from = endpoint(source, 0);
  const sockaddr_in to = endpoint("198.51.100.1", port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return {};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
  pollfd readable{socket.get(), POLLIN, 0};
  std::array<char, 4> greeting{};
  if (::poll(&readable, 1, 10'000) != 1 || ::read(socket.get(), greeting.data(), greeting.size()) != 4) return {};
  return socket;
}

// An sshd with keys of its own.
class Sshd {
 public:
  Sshd() {
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", files_.path("/host")});
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", files_.path("/client")});
    made_run_directory_ = ::mkdir("/run/sshd", 0755) == 0;
    files_.write("/config",
                 "Port 2022\nListenAddress 198.51.100.1\nPidFile none\nStrictModes no\nUsePAM yes\n"
                 "PermitRootLogin yes\nPermitUserRC no\nHostKey " +
                     files_.path("/host") + "\nAuthorizedKeysFile " + files_.path("/client.pub") + "\n");
    sshd_ = Child({sshd_path, "-D", "-e", "-f", files_.path("/config")}, files_.path("/log"));
  }
  ~Sshd() {
    sshd_ = Child();
    if (made_run_directory_) ::rmdir("/run/sshd");
  }
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  [[nodiscard]] bool listens() const {
    return eventually([] {
      const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in to = endpoint("198.51.100.1", port);
      return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    });
  }
  // A session of root from `source`; `terminal` is -tt or -T.
  [[nodiscard]] Child session(const std::string& source, const std::string& terminal) const {
    return Child({"ssh",
                  "-F",
                  "none",
                  "-i",
                  files_.path("/client"),
                  "-o",
                  "IdentitiesOnly=yes",
                  "-o",
                  "BatchMode=yes",
                  "-o",
                  "StrictHostKeyChecking=no",
                  "-o",
                  "UserKnownHostsFile=/dev/null",
                  "-o",
                  "LogLevel=ERROR",
                  "-p",
                  std::to_string(port),
                  "-b",
                  source,
                  terminal,
                  "root@198.51.100.1",
                  "echo ready; while kill -0 $PPID; do sleep 0.1; done"},
                 output(source));
  }
  [[nodiscard]] bool let_in(const std::string& source) const {
    return eventually([&] { return HostRoot().read(output(source), 64).value_or("").starts_with("ready"); });
  }
  [[nodiscard]] std::string log() const { return HostRoot().read(files_.path("/log"), 2000).value_or("no log"); }

 private:
  [[nodiscard]] std::string output(const std::string& source) const { return files_.path("/from-" + source); }

  TempRoot files_;
  bool made_run_directory_ = false;
  Child sshd_;
};

bool knows(const char* address) {
  const auto admins = live_admins(HostRoot());
  return std::ranges::find(admins, *Address::parse(address)) != admins.end();
}

TEST(LiveAdminsOfARealSshd, AreThoseWhoHaveBeenLetIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "sshd takes root";
  if (::access(sshd_path, X_OK) != 0) GTEST_SKIP() << "openssh-server is not installed";
  std::string not_let_in;
  const std::string why_not = in_own_network([&] {
    for (const char* const source : {"198.51.100.7/32", "198.51.100.8/32", "198.51.100.66/32"})
      ASSERT_TRUE(run({"ip", "addr", "add", source, "dev", "lo"}));
    const Sshd sshd;
    ASSERT_TRUE(sshd.listens()) << sshd.log();
    const Fd unauthenticated = silent_connection("198.51.100.66");
    ASSERT_TRUE(unauthenticated) << sshd.log();
    {
      const Child plain = sshd.session("198.51.100.7", "-T");
      const Child with_terminal = sshd.session("198.51.100.8", "-tt");
      if (!sshd.let_in("198.51.100.7") || !sshd.let_in("198.51.100.8")) {
        not_let_in = "this sshd lets nobody in: " + sshd.log();
        return;
      }
      EXPECT_TRUE(knows("198.51.100.7")) << "a session without terminal";
      EXPECT_TRUE(knows("198.51.100.8")) << "a session with a terminal";
      EXPECT_FALSE(knows("198.51.100.66")) << "nobody has authenticated there";
    }
    EXPECT_TRUE(eventually([] { return !knows("198.51.100.7"); })) << "the session is over";
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
  if (!not_let_in.empty()) GTEST_SKIP() << not_let_in;
}

}  // namespace
}  // namespace palang
