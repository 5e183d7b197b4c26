#pragma once

#include <condition_variable>
#include <mutex>
#include <variant>
#include <vector>

#include "base/fd.hpp"
#include "ledger/limits.hpp"
#include "ledger/writer.hpp"

namespace palang {

// How the ledger is, for `status` and the log.
struct LedgerHealth {
  std::string trouble;  // why nothing can be written; empty: all is well
  Duration lasting{0};  // for how long
  uint64_t queued_batches = 0;
  uint64_t queued_bytes = 0;  // about
  uint64_t commits = 0;       // transactions
  uint64_t batches = 0;       // written in them
  uint64_t dropped = 0;       // batches that found no room; a resync made up for them, but for their evidence
  PrunedRows pruned;
};

using LedgerWork = std::variant<LedgerBatch, Resync>;

// What the loop thread and the ledger's worker share: the queue and the state of things, inside one lock.
class Mailbox {
 public:
  explicit Mailbox(uint64_t queue_bytes);

  // For the loop thread; none but wait_until_saved() waits for the worker.
  void push(LedgerBatch batch);
  void push(Resync whole);
  [[nodiscard]] bool wants_resync();
  [[nodiscard]] bool behind();
  [[nodiscard]] LedgerHealth health();
  [[nodiscard]] int fd() const { return event_.get(); }
  enum class Patience : uint8_t { give_up_in_trouble, insist };
  [[nodiscard]] Result<void> wait_until_saved(Duration timeout, Patience patience);
  void close();

  // For the worker.
  struct Taken {
    std::vector<LedgerWork> work;
    uint64_t last = 0;     // number of the newest piece of work so far
    bool forget = false;   // what was taken before must not be written any more: the queue overflowed
    bool sync = false;     // somebody waits until it is on the disk
    bool urgent = false;   // try at once, however long the last failure's delay
    bool closing = false;  // the last time
  };
  // Returns when there is something to do, or after `at_most`. In trouble new work is no reason to return.
  [[nodiscard]] Taken take(Duration at_most, bool in_trouble);
  void saved(uint64_t last, bool synced, uint64_t batches, const PrunedRows& newly_pruned);
  void failed(const std::string& sentence);
  void ask_for_resync();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void wake_loop();
  void drop_everything();

  const uint64_t queue_bytes_;
  Fd event_;  // eventfd(2): readable when health(), wants_resync() or behind() changed

  std::mutex mutex_;  // guards all below
  std::condition_variable work_;
  std::condition_variable progress_;
  std::vector<LedgerWork> queue_;
  uint64_t queued_bytes_ = 0;
  uint64_t taken_bytes_ = 0;  // with the worker, not yet saved
  uint64_t taken_batches_ = 0;
  uint64_t pushed_ = 0;  // number of the newest piece of work
  uint64_t synced_ = 0;  // all up to this number are on the disk
  bool lost_ = false;    // overflowed; nothing is taken on before the resync
  bool resync_wanted_ = false;
  bool behind_ = false;  // the loop was told so
  bool forget_ = false;
  bool sync_ = false;
  bool urgent_ = false;
  bool closing_ = false;
  SteadyTime trouble_since_;
  LedgerHealth health_;
};

}  // namespace palang
