#include "enforce/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/fd.hpp"

namespace palang {
namespace {

constexpr size_t most_output = size_t{4} << 20;

struct Pipe {
  Fd read;
  Fd write;
};

// A socket, as writing to a pipe whose reader is gone would end this process.
std::optional<Pipe> make_input() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// posix_spawn's attributes, freed with the object.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    // The daemon ignores SIGPIPE, which a program would inherit.
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  void connect(const Fd& from, int to) { posix_spawn_file_actions_adddup2(&actions_, from.get(), to); }
  [[nodiscard]] int start(pid_t& pid, std::span<const std::string> words) const {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    std::array<char*, 2> environment{path, nullptr};
    return posix_spawn(&pid, arguments[0], &actions_, &attributes_, arguments.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// What there is to read; false at its end.
bool take_output(const Fd& from, std::string& into) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  into.append(buffer.data(), std::min(static_cast<size_t>(got), most_output - std::min(most_output, into.size())));
  return got > 0;
}

// Feeds and reads until both outputs end; false when the time is over.
bool converse(Fd to, Fd out, Fd err, const std::string& input, Duration patience, ProgramOutput& output) {
  const auto end = std::chrono::steady_clock::now() + patience;
  size_t fed = 0;
  if (input.empty()) to.reset();
  while (out || err) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 3> waiting{pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0},
                                  pollfd{to.get(), POLLOUT, 0}};
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) < 0) continue;
    if (waiting[0].revents != 0 && !take_output(out, output.out)) out.reset();
    if (waiting[1].revents != 0 && !take_output(err, output.err)) err.reset();
    if (waiting[2].revents == 0) continue;
    const ssize_t put = ::send(to.get(), input.data() + fed, input.size() - fed, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) fed += static_cast<size_t>(put);
    if (fed == input.size() || (put < 0 && errno != EINTR && errno != EAGAIN)) to.reset();
  }
  return true;
}

}  // namespace

Result<ProgramOutput> run_program(std::span<const std::string> words, const std::string& input, Duration patience) {
  auto in = make_input();
  auto out = make_pipe();
  auto err = make_pipe();
  if (!in || !out || !err) return fail_os("run", words[0], errno);
  pid_t pid = -1;
  {
    SpawnSetup setup;
    setup.connect(in->read, STDIN_FILENO);
    setup.connect(out->write, STDOUT_FILENO);
    setup.connect(err->write, STDERR_FILENO);
    if (const int error = setup.start(pid, words); error != 0) return fail_os("run", words[0], error);
  }
  in->read.reset();
  out->write.reset();
  err->write.reset();
  ProgramOutput output;
  const bool ended =
      converse(std::move(in->write), std::move(out->read), std::move(err->read), input, patience, output);
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!ended) return fail(fmt::format("run {}: it took longer than {}", words[0], approximate_duration(patience)));
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

}  // namespace palang
