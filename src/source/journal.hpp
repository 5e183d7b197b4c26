#pragma once

#include <deque>
#include <functional>
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
  bool kernel = true;     // what the kernel logged
  // Which lines of services are wanted, asked before their text is looked at; none: no service's. What a logged-in
  // user wrote is never among them, whatever name he gave himself.
  std::function<bool(const LineOrigin&)> services;
  std::optional<WallTime> since;  // where to begin without a stored position; none: at the oldest entry
  // For the kernel's; all must hold. The default is what the kernel itself logged. Fields that begin with '_' are
  // journald's own and can't be forged; with _TRANSPORT=kernel so is SYSLOG_FACILITY, and 0 excludes what processes
  // wrote to /dev/kmsg (systemd, journald-kmsg.c). Never rely on SYSLOG_IDENTIFIER: any process may say "kernel".
  std::vector<std::string> matches{"_TRANSPORT=kernel", "SYSLOG_FACILITY=0"};
};

// journald's entries, from the oldest, as Framing::kernel lines, or Framing::message with the origin of a service. fd()
// tells of new entries only: read() once before waiting for it.
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

  Journal(JournalOptions options, std::unique_ptr<sd_journal, Close> journal, int fd);

  [[nodiscard]] Result<void> seek();
  // The next entry that has not been seen; false at the end.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] Result<void> take(Batch& batch);
  // Takes it as a line with this framing and origin.
  [[nodiscard]] Result<void> take_message(Batch& batch, Framing framing, const LineOrigin* origin);
  // The value of a field of the present entry, kept until the next read(); "" where it has none.
  [[nodiscard]] std::string_view field(const char* name);
  [[nodiscard]] bool is_of_kernel();
  // Where the present entry comes from, if a service that is wanted wrote it.
  [[nodiscard]] const LineOrigin* wanted_origin();
  [[nodiscard]] std::string_view keep(std::string_view text);
  [[nodiscard]] Result<void> remember_cursor();

  std::string name_ = "journald";
  JournalOptions options_;
  std::unique_ptr<sd_journal, Close> journal_;
  int fd_;  // owned by journal_
  std::string cursor_;
  bool check_cursor_ = false;  // the next entry may be the one at the cursor, which has been seen
  std::unique_ptr<char[]> texts_;
  size_t used_ = 0;
  std::deque<LineOrigin> origins_;  // of the last batch
  SourceCounters counters_;
};

}  // namespace palang
