#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ledger/limits.hpp"
#include "ledger/mailbox.hpp"
#include "ledger/worker.hpp"
#include "model/store.hpp"

namespace palang {

// Makes what was decided durable. Called from the loop thread; the writing is done by a thread of its own.
class Ledger {
 public:
  explicit Ledger(LedgerWorker::Start start);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  // Tries once more to write what is left; call flush() before, it says whether that worked.
  ~Ledger();

  // Queues; never waits. Batches become durable in their order, each as a whole.
  void commit(LedgerBatch batch) { mailbox_.push(std::move(batch)); }

  // A quarter of the queue is in use though the disk works: new lines come faster than they can be written. Whoever
  // reads sources should pause until health_fd() is readable and this is false. Never true in trouble: there, what
  // waits can't be awaited.
  [[nodiscard]] bool behind() { return mailbox_.behind(); }

  // The queue overflowed or the file was lost: send the whole state with replace(). True until that is done.
  [[nodiscard]] bool needs_resync() { return mailbox_.wants_resync(); }
  void replace(Resync whole) { mailbox_.push(std::move(whole)); }

  [[nodiscard]] LedgerHealth health() { return mailbox_.health(); }
  // Readable (epoll) when health(), needs_resync() or behind() says something new; calling health() clears it.
  [[nodiscard]] int health_fd() const { return mailbox_.fd(); }

  // Waits until all that was committed so far is on the disk, power cuts included: before an admin's word is
  // acknowledged. Fails at once if nothing can be written at present; what was committed keeps waiting.
  [[nodiscard]] Result<void> barrier(Duration timeout) {
    return mailbox_.wait_until_saved(timeout, Mailbox::Patience::give_up_in_trouble);
  }
  // The same, trying until the time is over: for a clean stop. The error says what is not saved.
  [[nodiscard]] Result<void> flush(Duration timeout) {
    return mailbox_.wait_until_saved(timeout, Mailbox::Patience::insist);
  }

 private:
  Mailbox mailbox_;
  LedgerWorker worker_;
  std::thread thread_;
};

struct OpenedLedger {
  Snapshot snapshot;
  std::unique_ptr<Ledger> ledger;
  std::vector<std::string> notices;  // for the log: what was set aside, what could not be read
  std::string trouble;               // why it can't be written now (already logged); empty: all is well
};

// Opens the ledger at `path`, made if it is missing, and reads what a restart begins with. `now` ends what is over;
// past decisions reach back by `remember`.
// Damage is no error: the file is set aside. Nor is a directory or disk that can't be written: what is there is read,
// and the ledger begins in trouble; if it could not even be read, the snapshot is fresh, and its last_id so high that
// no id is given twice. Errors: another palang uses it, a newer one wrote it, it is another program's database.
[[nodiscard]] Result<OpenedLedger> open_ledger(const std::string& path, WallTime now, Duration remember,
                                               LedgerLimits limits = {}, const EndInForce& end_in_force = {});

}  // namespace palang
