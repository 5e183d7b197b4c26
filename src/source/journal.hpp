#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/source.hpp"

struct sd_journal;

namespace palang {

struct JournalOptions {
  std::string directory;  // empty: the journal of this system
  // All must hold. The default is what the kernel itself logged. Fields that begin with '_' are journald's own and
  // can't be forged; with _TRANSPORT=kernel so is SYSLOG_FACILITY, and 0 excludes what processes wrote to /dev/kmsg
  // (systemd, journald-kmsg.c). Never rely on SYSLOG_IDENTIFIER: any process may say "kernel".
  std::vector<std::string> matches{"_TRANSPORT=kernel", "SYSLOG_FACILITY=0"};
};

// journald's entries, from the oldest, as Framing::kernel lines. fd() tells of new entries only: read() once before
// waiting for it.
class Journal final : public Source {
 public:
  // Error: the journal can't be opened.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const JournalOptions& options,
                                                             const std::optional<Position>& stored);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override { return fd_; }
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // journald's cursor.
  [[nodiscard]] Position position() const override { return {name_, cursor_}; }
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  struct Close {
    void operator()(sd_journal* journal) const;
  };

  explicit Journal(std::unique_ptr<sd_journal, Close> journal, int fd);

  [[nodiscard]] Result<void> seek();
  // The next entry that has not been seen; false at the end.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] Result<void> take(Batch& batch);
  [[nodiscard]] Result<void> remember_cursor();

  std::string name_ = "journald";
  std::unique_ptr<sd_journal, Close> journal_;
  int fd_;  // owned by journal_
  std::string cursor_;
  bool check_cursor_ = false;  // the next entry may be the one at the cursor, which has been seen
  std::unique_ptr<char[]> texts_;
  size_t used_ = 0;
  SourceCounters counters_;
};

}  // namespace palang
