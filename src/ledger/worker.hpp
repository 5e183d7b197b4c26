#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger/mailbox.hpp"
#include "ledger/storage.hpp"
#include "ledger/writer.hpp"

namespace palang {

// The thread that owns the writing connection. Writes all that waits in one transaction; in trouble it keeps what it
// has and tries again, later and later. A damaged file is set aside, and memory asked for everything.
class LedgerWorker {
 public:
  // How far opening came; what is missing the worker makes up for.
  struct Start {
    std::string path;
    WallTime now;
    LedgerLimits limits;
    std::optional<LedgerLock> lock;
    std::optional<LedgerFile> file;
    std::vector<uint64_t> expired;  // still to be marked as ended
    bool state_known = false;       // the daemon begins with what the ledger held
    std::string trouble;            // empty: none so far
  };

  LedgerWorker(Start start, Mailbox& mailbox);
  // Returns after Mailbox::close(), having tried to write what was left.
  void run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void accept(Mailbox::Taken taken);
  [[nodiscard]] bool something_to_write() const;
  void write();
  void tidy();
  [[nodiscard]] DbResult<void> write_once();
  [[nodiscard]] DbResult<void> write_work();
  [[nodiscard]] DbResult<bool> tidy_once();
  [[nodiscard]] DbResult<void> make_ready();
  [[nodiscard]] DbResult<void> set_aside_damaged(const DbError& damage);
  void close_file();
  void succeeded();
  void failed(const DbError& error);

  [[nodiscard]] bool in_trouble() const { return !trouble_.empty(); }
  [[nodiscard]] Duration until_next_turn() const;
  [[nodiscard]] WallTime wall_now() const;

  Mailbox& mailbox_;
  std::string path_;
  LedgerLimits limits_;
  const WallTime started_wall_;
  const SteadyTime started_;
  std::optional<LedgerLock> lock_;
  std::optional<LedgerFile> file_;
  std::optional<Writer> writer_;  // holds statements of file_: declared after it
  std::vector<uint64_t> expired_;
  bool state_known_;

  std::vector<LedgerWork> held_;  // taken, not yet saved
  uint64_t last_ = 0;             // number of the newest taken
  bool sync_ = false;
  bool probe_ = false;

  std::string trouble_;
  SteadyTime trouble_since_;
  SteadyTime retry_at_;
  Duration delay_{0};
  SteadyTime tidy_at_;
};

}  // namespace palang
