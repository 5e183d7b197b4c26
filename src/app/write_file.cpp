#include "app/write_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.hpp"

namespace palang {

namespace {

constexpr size_t largest_file = 256UL * 1024 * 1024;  // bytes

}  // namespace

Result<void> write_file(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  struct stat old{};
  const mode_t mode = ::stat(path.c_str(), &old) == 0 ? old.st_mode & 07777 : 0644;
  const Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return fail_os("write", draft, errno);
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail_os("write", draft, errno);
    done += static_cast<size_t>(written);
  }
  if (::fsync(file.get()) != 0) return fail_os("save", draft, errno);
  if (::rename(draft.c_str(), path.c_str()) != 0) return fail_os("replace", path, errno);
  return {};
}

Result<std::string> read_whole_file(const std::string& path) {
  const bool standard_input = path == "-";
  const Fd file(standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                               : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    Failure failure = fail_os("read", path, errno);
    if (errno == ENOENT || errno == ENOTDIR) failure = Failure(Error::not_found(failure.error().text));
    return failure;
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_os("read", path, errno);
  if (!S_ISREG(status.st_mode) && !standard_input) return fail("read " + path + ": it is no file");
  std::string text;
  std::string piece(64UL * 1024, '\0');
  while (true) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", path, errno);
    if (got == 0) return text;
    if (text.size() + static_cast<size_t>(got) > largest_file)
      return fail("read " + path + ": it is larger than 256 MiB");
    text.append(piece, 0, static_cast<size_t>(got));
  }
}

}  // namespace palang
