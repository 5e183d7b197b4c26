#include "namespaces.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

namespace palang::testing {

Namespace::Namespace() {
  // A thread of its own, so that this one stays where it is.
  std::thread([this] {
    if (::unshare(CLONE_NEWNET) != 0) return;
    fd_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }).join();
  if (!made() || !has_program("ip")) return;
  const Inside here(*this);
  run({"ip", "link", "set", "lo", "up"});
}

std::string Namespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd());
}

Inside::Inside(const Namespace& where) : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  EXPECT_EQ(::setns(where.fd(), CLONE_NEWNET), 0);
}

Inside::~Inside() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

Ran run(const std::vector<std::string>& words, const std::string& input) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    ::alarm(10);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  Fd to_child(in[1]);
  const Fd from_child(out[0]);
  ::close(in[0]);
  ::close(out[1]);
  Ran ran;
  EXPECT_EQ(::write(to_child.get(), input.data(), input.size()), static_cast<ssize_t>(input.size()));
  to_child.reset();
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(from_child.get(), buffer.data(), buffer.size())) > 0;)
    ran.out.append(buffer.data(), static_cast<size_t>(got));
  int status = 0;
  ::waitpid(child, &status, 0);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

bool has_program(const std::string& name) {
  for (const char* const directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"})
    if (::access((directory + name).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace palang::testing
