#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/time.hpp"
#include "model/source.hpp"

namespace palang {

// Where kernel records come from: one record per read(2), EAGAIN when there is no more, EPIPE when some were lost.
struct KmsgDevice {
  Fd fd;
  std::string boot_id;             // tells the sequence numbers of one boot from those of another
  Duration (*uptime)() = nullptr;  // on the clock of the records
  ssize_t (*read)(int, void*, size_t) = ::read;

  // /dev/kmsg. Error: it can't be opened (needs CAP_SYSLOG where kernel.dmesg_restrict is 1).
  [[nodiscard]] static Result<KmsgDevice> open();
};

// What the kernel itself logged (facility 0: records that processes wrote to /dev/kmsg are passed over), from the
// oldest record that it still has.
class KernelLog final : public Source {
 public:
  KernelLog(KmsgDevice device, const Clock& clock, const std::optional<Position>& stored);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override { return device_.fd.get(); }
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // "boot=<boot id> next=<sequence number>"
  [[nodiscard]] Position position() const override;
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  void take(std::string_view bytes, WallTime boot, WallTime now, Batch& batch);

  std::string name_ = "kmsg";
  KmsgDevice device_;
  const Clock& clock_;
  std::optional<uint64_t> next_;  // sequence number
  std::unique_ptr<char[]> buffer_;
  SourceCounters counters_;
};

}  // namespace palang
