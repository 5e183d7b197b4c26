#include "source/kernel_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>

#include "base/log.hpp"
#include "base/text.hpp"
#include "source/byte_reader.hpp"
#include "source/kmsg_record.hpp"

namespace palang {
namespace {

constexpr size_t buffer_size = size_t{512} * 1024;
constexpr size_t longest_record = size_t{16} * 1024;  // the kernel's is 8 KiB (CONSOLE_EXT_LOG_MAX)

Duration monotonic_time() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds{time.tv_sec} +
                                              std::chrono::nanoseconds{time.tv_nsec});
}

Result<std::string> read_boot_id() {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_os("open", path, errno);
  std::string text(64, '\0');
  const Result<size_t> got = read_some(fd.get(), text, path);
  if (!got) return Failure(got.error());
  return std::string(trim(std::string_view(text).substr(0, *got)));
}

// The number in "boot=<boot_id> next=N" if it is of this boot.
std::optional<uint64_t> next_of(std::string_view position, std::string_view boot_id) {
  const std::string prefix = fmt::format("boot={} next=", boot_id);
  if (!position.starts_with(prefix)) return std::nullopt;
  position.remove_prefix(prefix.size());
  uint64_t next = 0;
  const auto [end, status] = std::from_chars(position.data(), position.data() + position.size(), next);
  if (status != std::errc{} || end != position.data() + position.size()) return std::nullopt;
  return next;
}

}  // namespace

Result<KmsgDevice> KmsgDevice::open() {
  Result<std::string> boot_id = read_boot_id();
  if (!boot_id) return Failure(boot_id.error());
  KmsgDevice device{Fd(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)), std::move(*boot_id), monotonic_time};
  if (device.fd) return device;
  const int os_error = errno;
  Failure failure = fail_os("open", "/dev/kmsg", os_error);
  if (os_error == EPERM || os_error == EACCES)
    failure.error().text += ": reading the kernel log needs root or CAP_SYSLOG, and in a container may be denied";
  return failure;
}

KernelLog::KernelLog(KmsgDevice device, const Clock& clock, const std::optional<Position>& stored)
    : device_(std::move(device)), clock_(clock), buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)) {
  if (stored) next_ = next_of(stored->value, device_.boot_id);
}

Position KernelLog::position() const {
  return {name_, next_ ? fmt::format("boot={} next={}", device_.boot_id, *next_) : ""};
}

Result<void> KernelLog::read(Batch& batch) {
  constexpr int most_records = 8192;
  batch.clear();
  const WallTime now = clock_.now();
  const WallTime boot = now - device_.uptime();
  size_t used = 0;
  for (int records = 0;; ++records) {
    if (buffer_size - used < longest_record || records == most_records) {
      batch.more = true;
      return {};
    }
    const ssize_t got = device_.read(device_.fd.get(), buffer_.get() + used, longest_record);
    if (got > 0) {
      const size_t lines_before = batch.lines.size();
      take({buffer_.get() + used, static_cast<size_t>(got)}, boot, now, batch);
      if (batch.lines.size() > lines_before) used += static_cast<size_t>(got);
      continue;
    }
    if (got == 0) {
      batch.finished = true;
      return {};
    }
    // EPIPE: records were overwritten before they were read; the sequence numbers will tell how many.
    if (errno == EINTR || errno == EPIPE) continue;
    if (errno == EAGAIN || !batch.lines.empty()) return {};
    return fail_os("read", "/dev/kmsg", errno);
  }
}

void KernelLog::take(std::string_view bytes, WallTime boot, WallTime now, Batch& batch) {
  counters_.bytes += bytes.size();
  const std::optional<KmsgRecord> record = parse_kmsg_record(bytes);
  if (!record) {
    log_warning("kmsg: a record of unknown form was passed over");
    return;
  }
  if (next_ && record->sequence < *next_) return;
  if (next_ && record->sequence > *next_) {
    const uint64_t lost = record->sequence - *next_;
    counters_.lost_lines += lost;
    log_warning(fmt::format("kmsg: {} records were overwritten before they were read", lost));
  }
  next_ = record->sequence + 1;
  if (record->facility != 0) return;
  ++counters_.lines;
  batch.lines.push_back({record->text, Framing::kernel, std::min(boot + record->since_boot, now)});
}

}  // namespace palang
