#include "source/tailed_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace palang {

Result<TailedFile> TailedFile::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail_os("open", path, errno);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return fail_os("look at", path, errno);
  if (!S_ISREG(status.st_mode)) return fail("read " + path + ": it is not a regular file");
  return TailedFile(std::move(fd), path, id_of(status));
}

struct stat TailedFile::status() const {
  struct stat status{};
  fstat(fd_.get(), &status);  // can't fail on an open regular file; zeros would only delay what is decided from it
  return status;
}

Result<size_t> TailedFile::read_at(uint64_t offset, std::span<char> into) const {
  size_t done = 0;
  while (done < into.size()) {
    const std::span<char> rest = into.subspan(done);
    const ssize_t got = pread(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", path_, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<void> TailedFile::seek(uint64_t offset) {
  std::array<char, Window::span> bytes{};
  const size_t known = static_cast<size_t>(std::min<uint64_t>(offset, bytes.size()));
  const Result<size_t> head = read_at(0, {bytes.data(), known});
  if (!head) return Failure(head.error());
  head_.assign(bytes.data(), *head);
  const Result<size_t> before = read_at(offset - known, {bytes.data(), known});
  if (!before) return Failure(before.error());
  recent_ = Window{};
  recent_.append({bytes.data(), *before});
  before_line_ = recent_;
  offset_ = offset;
  splitter_.forget();
  return {};
}

Result<bool> TailedFile::resume(const FileMark& mark) {
  Fd again(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!again) return fail_os("duplicate the descriptor of", path_, errno);
  Result<std::unique_ptr<ByteReader>> reader = open_byte_reader(std::move(again), path_);
  if (!reader) return Failure(reader.error());
  if ((*reader)->is_archive()) {
    archive_ = std::move(*reader);
    return resume_archive(mark);
  }
  if (static_cast<uint64_t>(status().st_size) < mark.offset) return false;
  if (const Result<void> sought = seek(mark.offset); !sought) return Failure(sought.error());
  return this->mark().same_content(mark);
}

Result<bool> TailedFile::resume_archive(const FileMark& mark) {
  std::vector<char> buffer(LineSplitter::default_chunk);
  while (offset_ < mark.offset) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), mark.offset - offset_));
    // The first chunk is just the head, so that another archive is known as such at once.
    const Result<size_t> got = archive_->read({buffer.data(), offset_ == 0 ? std::min(wanted, Window::span) : wanted});
    if (!got) return Failure(got.error());
    if (*got == 0) return false;
    remember({buffer.data(), *got}, *got);
    if (head_.size() == std::min<uint64_t>(mark.offset, Window::span) && fingerprint(head_) != mark.head) return false;
  }
  return this->mark().same_content(mark);
}

Result<void> TailedFile::restart() {
  const off_t data = lseek(fd_.get(), 0, SEEK_DATA);
  uint64_t begin = data > 0 ? static_cast<uint64_t>(data) : 0;
  std::array<char, 4096> block{};
  const Result<size_t> got = read_at(begin, block);
  if (!got) return Failure(got.error());
  const std::string_view bytes(block.data(), *got);
  begin += std::min(bytes.find_first_not_of('\0'), bytes.size());
  return seek(begin);
}

Result<void> TailedFile::skip_to_end() {
  constexpr uint64_t furthest = uint64_t{1024} * 1024;  // a longer line is given up
  const uint64_t size = static_cast<uint64_t>(status().st_size);
  std::array<char, 4096> block{};
  uint64_t at = size;
  while (at > 0 && size - at < furthest) {
    const size_t step = static_cast<size_t>(std::min<uint64_t>(at, block.size()));
    const Result<size_t> got = read_at(at - step, {block.data(), step});
    if (!got) return Failure(got.error());
    const size_t newline = std::string_view(block.data(), *got).rfind('\n');
    if (newline != std::string_view::npos) return seek(at - step + newline + 1);
    at -= step;
  }
  return seek(at == 0 ? 0 : size);
}

Result<size_t> TailedFile::read_checked(std::span<char> into, bool& truncated) {
  if (archive_) return archive_->read(into);
  // One system call reads the bytes before the offset again along with the new ones: a file that was truncated and has
  // grown past the offset since can't pass for the old one.
  const std::string_view known = recent_.view();
  std::array<char, Window::span> before{};
  const std::array<iovec, 2> parts{{{before.data(), known.size()}, {into.data(), into.size()}}};
  const auto from = static_cast<off_t>(offset_ - known.size());
  ssize_t got = 0;
  do got = preadv(fd_.get(), parts.data(), static_cast<int>(parts.size()), from);
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail_os("read", path_, errno);
  const auto bytes = static_cast<size_t>(got);
  truncated = bytes < known.size() || std::string_view(before.data(), known.size()) != known;
  return truncated ? 0 : bytes - known.size();
}

Result<bool> TailedFile::was_truncated() const {
  if (archive_) return false;
  const std::string_view known = recent_.view();
  std::array<char, Window::span> before{};
  const Result<size_t> got = read_at(offset_ - known.size(), {before.data(), known.size()});
  if (!got) return Failure(got.error());
  return std::string_view(before.data(), *got) != known;
}

void TailedFile::remember(std::string_view chunk, size_t behind_last_line) {
  if (offset_ < Window::span) head_.append(chunk.substr(0, Window::span - static_cast<size_t>(offset_)));
  if (behind_last_line > 0) {
    before_line_ = recent_;
    before_line_.append(chunk.substr(0, behind_last_line));
  }
  recent_.append(chunk);
  offset_ += chunk.size();
}

Result<TailedFile::Read> TailedFile::read(std::vector<RawLine>& lines, WallTime at, SourceCounters& counters) {
  if (!archive_ && static_cast<uint64_t>(status().st_size) == offset_) {
    splitter_.release();
    return Read{};
  }
  const std::span<char> room = splitter_.room();
  bool truncated = false;
  const Result<size_t> got = read_checked(room, truncated);
  if (!got) return Failure(got.error());
  if (truncated) return Read{Outcome::truncated};
  if (*got == 0) return Read{};
  const size_t lines_before = lines.size();
  const uint64_t cut_before = splitter_.cut_lines();
  splitter_.split(*got, [&](std::string_view text) { lines.push_back({text, Framing::syslog, at}); });
  const uint64_t pending = splitter_.pending();
  remember({room.data(), *got}, pending < *got ? *got - static_cast<size_t>(pending) : 0);
  counters.lines += lines.size() - lines_before;
  counters.cut_lines += splitter_.cut_lines() - cut_before;
  counters.bytes += *got;
  return Read{Outcome::data, *got == room.size()};
}

FileMark TailedFile::mark() const {
  FileMark mark;
  mark.id = id_;
  mark.offset = offset_ - splitter_.pending();
  const size_t head = static_cast<size_t>(std::min<uint64_t>(mark.offset, head_.size()));
  mark.head = fingerprint(std::string_view(head_).substr(0, head));
  mark.tail = fingerprint(before_line_.view());
  mark.changed_ns = changed_ns(status());
  return mark;
}

FileMark TailedFile::content_mark() const {
  FileMark mark = this->mark();
  if (mark.offset > 0 || archive_) return mark;
  std::array<char, Window::span> bytes{};
  mark.offset = read_at(0, bytes).value_or(0);
  mark.head = mark.tail = fingerprint({bytes.data(), static_cast<size_t>(mark.offset)});
  return mark;
}

}  // namespace palang
