#include "source/stdin_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>

#include "source/byte_reader.hpp"

namespace palang {
namespace {

// Not regular files and /dev/null: they are always readable.
bool epoll_takes(int fd) {
  const Fd poller(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  return epoll_ctl(poller.get(), EPOLL_CTL_ADD, fd, &event) == 0 || errno != EPERM;
}

}  // namespace

Result<std::unique_ptr<StdinSource>> StdinSource::open(const Clock& clock) {
  Fd fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) return fail_os("open", "standard input", errno);
  return std::make_unique<StdinSource>(std::move(fd), clock);
}

StdinSource::StdinSource(Fd fd, const Clock& clock)
    : fd_(std::move(fd)), always_readable_(!epoll_takes(fd_.get())), clock_(clock) {}

int StdinSource::fd() const {
  return always_readable_ ? -1 : fd_.get();
}

Result<void> StdinSource::read(Batch& batch) {
  batch.clear();
  // O_NONBLOCK would be set for everyone who shares this standard input; poll(2) is as good for a single reader.
  pollfd ready{fd_.get(), POLLIN, 0};
  if (poll(&ready, 1, 0) == 0) return {};
  const std::span<char> room = splitter_.room();
  const Result<size_t> got = read_some(fd_.get(), room, "standard input");
  if (!got && (got.error().os == EAGAIN || got.error().os == EWOULDBLOCK)) return {};
  if (!got) return Failure(got.error());
  const WallTime now = clock_.now();
  const auto take = [&](std::string_view text) { batch.lines.push_back({text, Framing::syslog, now}); };
  splitter_.split(*got, take);
  if (*got == 0) splitter_.finish(take);
  batch.finished = *got == 0;
  batch.more = *got == room.size();
  counters_.lines += batch.lines.size();
  counters_.bytes += *got;
  counters_.cut_lines = splitter_.cut_lines();
  return {};
}

Position StdinSource::position() const {
  return {name_, fmt::format("off={}", counters_.bytes - splitter_.pending())};
}

}  // namespace palang
