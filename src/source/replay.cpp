#include "source/replay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "source/file_mark.hpp"

namespace palang {
namespace {

Result<Fd> open_for_replay(const std::string& path) {
  const bool standard_input = path == "-";
  Fd fd(standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                       : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_os("open", standard_input ? "standard input" : path, errno);
  return fd;
}

}  // namespace

Result<std::unique_ptr<Replay>> Replay::open(std::vector<std::string> paths, const Clock& clock) {
  std::unique_ptr<Replay> replay(new Replay(std::move(paths), clock));
  for (const std::string& path : replay->paths_) {
    if (path == "-") continue;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) {
      Failure failure = fail_os("open", path, errno);
      if (errno == ENOENT) failure.error().kind = ErrorKind::not_found;
      return failure;
    }
    if (S_ISDIR(status.st_mode)) return Failure(Error::usage("read " + path + ": it is a directory, name its files"));
    if (S_ISREG(status.st_mode)) replay->total_ += static_cast<uint64_t>(status.st_size);
  }
  return replay;
}

Result<void> Replay::begin_file() {
  const std::string& path = paths_[next_++];
  Result<Fd> fd = open_for_replay(path);
  if (!fd) return Failure(fd.error());
  struct stat status{};
  if (fstat(fd->get(), &status) != 0) return fail_os("look at", path, errno);
  at_ = path == "-" ? clock_.now()
                    : WallTime{std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{changed_ns(status)})};
  if (S_ISREG(status.st_mode)) posix_fadvise(fd->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Result<std::unique_ptr<ByteReader>> reader = open_byte_reader(std::move(*fd), path == "-" ? "standard input" : path);
  if (!reader) return Failure(reader.error());
  reader_ = std::move(*reader);
  offset_ = 0;
  return {};
}

void Replay::end_file() {
  done_ += reader_->consumed();
  reader_.reset();
}

Result<size_t> Replay::read_chunk(std::span<char> room) {
  const Result<size_t> got = reader_->read(room);
  if (!got) {
    splitter_.forget();  // half a line says something else than a whole one
    end_file();
  }
  return got;
}

Result<void> Replay::read(Batch& batch) {
  batch.clear();
  batch.finished = next_ == paths_.size() && !reader_;
  batch.more = !batch.finished;
  if (batch.finished) return {};
  if (!reader_)
    if (const Result<void> begun = begin_file(); !begun) return begun;
  const Result<size_t> got = read_chunk(splitter_.room());
  if (!got) return Failure(got.error());
  origin_.file = next_ <= origins_.size() ? origins_[next_ - 1] : paths_[next_ - 1];
  const auto take = [&](std::string_view text) { batch.lines.push_back({text, Framing::syslog, at_, &origin_}); };
  splitter_.split(*got, take);
  if (*got == 0) {
    splitter_.finish(take);
    end_file();
  }
  offset_ += *got;
  counters_.lines += batch.lines.size();
  counters_.bytes += *got;
  counters_.cut_lines = splitter_.cut_lines();
  return {};
}

Position Replay::position() const {
  const std::string path = next_ == 0 ? "" : paths_[next_ - 1];
  return {name_, fmt::format("file={} off={}", path, offset_ - splitter_.pending())};
}

}  // namespace palang
