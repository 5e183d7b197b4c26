#pragma once

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace palang {

// A process that ends with the object. It inherits the network namespace of the thread that starts it.
class Child {
 public:
  Child() = default;
  Child(const std::vector<std::string>& arguments, const std::string& output) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    wait();
  }

  // The exit status; -1 where it never ran or was killed.
  int wait() {
    int status = 0;
    const pid_t pid = std::exchange(pid_, -1);
    if (pid <= 0 || ::waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
};

inline bool run(const std::vector<std::string>& arguments) {
  return Child(arguments, "/dev/null").wait() == 0;
}

// Runs `test` on a thread with a network namespace of its own, where an interface has 198.51.100.1/24 and
// 2001:db8::1/64. Returns why that can't be done, or "".
template <typename Test>
std::string in_own_network(Test test) {
  std::string why_not;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      why_not = errno == EPERM ? "a network namespace takes root" : "no network namespaces here";
      return;
    }
    const bool ready = run({"ip", "link", "set", "lo", "up"}) &&
                       run({"ip", "link", "add", "pl-host0", "type", "veth", "peer", "name", "pl-host1"}) &&
                       run({"ip", "link", "set", "pl-host1", "up"}) &&
                       run({"ip", "addr", "add", "198.51.100.1/24", "dev", "pl-host0"}) &&
                       run({"ip", "addr", "add", "2001:db8::1/64", "dev", "pl-host0", "nodad"}) &&
                       run({"ip", "link", "set", "pl-host0", "up"});
    if (ready)
      test();
    else
      why_not = "ip(8) can't set up interfaces here";
  }).join();
  return why_not;
}

}  // namespace palang
