#include "ledger/worker.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "base/log.hpp"

namespace palang {

namespace {

constexpr size_t expired_portion = 1'000;

using std::chrono::steady_clock;

Duration since(steady_clock::time_point start) {
  return std::chrono::duration_cast<Duration>(steady_clock::now() - start);
}

void leave_signals_to_the_loop() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

LedgerWorker::LedgerWorker(Start start, Mailbox& mailbox)
    : mailbox_(mailbox),
      path_(std::move(start.path)),
      limits_(start.limits),
      started_wall_(start.now),
      started_(steady_clock::now()),
      lock_(std::move(start.lock)),
      file_(std::move(start.file)),
      expired_(std::move(start.expired)),
      state_known_(start.state_known),
      tidy_at_(started_) {
  if (!start.trouble.empty()) failed(DbError{DbError::Kind::passing, std::move(start.trouble)});
}

void LedgerWorker::run() {
  leave_signals_to_the_loop();
  for (;;) {
    Mailbox::Taken taken = mailbox_.take(until_next_turn(), in_trouble());
    const bool at_once = taken.urgent || taken.closing;
    const bool closing = taken.closing;
    if (taken.urgent) delay_ = Duration{0};
    accept(std::move(taken));
    const bool due = !in_trouble() || at_once || steady_clock::now() >= retry_at_;
    if (due && something_to_write()) write();
    if (closing) return;
    if (!in_trouble() && steady_clock::now() >= tidy_at_) tidy();
  }
}

void LedgerWorker::accept(Mailbox::Taken taken) {
  if (taken.forget) {
    held_.clear();
    probe_ = true;
  }
  held_.insert(held_.end(), std::make_move_iterator(taken.work.begin()), std::make_move_iterator(taken.work.end()));
  last_ = taken.last;
  sync_ = sync_ || taken.sync;
}

bool LedgerWorker::something_to_write() const {
  return !held_.empty() || sync_ || probe_ || in_trouble();
}

Duration LedgerWorker::until_next_turn() const {
  const SteadyTime next = in_trouble() ? retry_at_ : tidy_at_;
  return std::max(Duration{0}, std::chrono::duration_cast<Duration>(next - steady_clock::now()) + Duration{1});
}

WallTime LedgerWorker::wall_now() const {
  return started_wall_ + since(started_);
}

void LedgerWorker::write() {
  DbResult<void> done = write_once();
  if (!done && done.error().kind == DbError::Kind::corrupt) {
    done = set_aside_damaged(done.error());
    if (done) done = write_once();
  }
  if (!done) return failed(done.error());
  mailbox_.saved(last_, sync_, held_.size(), writer_->take_pruned());
  succeeded();
  held_.clear();
  sync_ = probe_ = false;
}

DbResult<void> LedgerWorker::write_once() {
  if (auto ready = make_ready(); !ready) return ready;
  if (!sync_) return write_work();
  // Somebody waits for these to be on the disk, whatever happens to the power.
  if (auto done = file_->database.execute("PRAGMA synchronous = FULL"); !done) return done;
  auto written = write_work();
  if (auto done = file_->database.execute("PRAGMA synchronous = NORMAL"); !done) return done;
  return written;
}

DbResult<void> LedgerWorker::write_work() {
  auto transaction = Transaction::begin(file_->database);
  if (!transaction) return std::unexpected(transaction.error());
  for (const LedgerWork& work : held_) {
    const auto* const batch = std::get_if<LedgerBatch>(&work);
    auto done = batch != nullptr ? writer_->apply(*batch) : writer_->replace(std::get<Resync>(work));
    if (!done) return done;
  }
  if (held_.empty())
    if (auto done = writer_->probe(); !done) return done;
  return transaction->commit();
}

DbResult<void> LedgerWorker::make_ready() {
  if (!lock_) {
    auto lock = LedgerLock::acquire(path_);
    if (!lock) return std::unexpected(lock.error());
    lock_ = std::move(*lock);
  }
  if (file_ && identify(path_) != file_->identity) {
    log_error(fmt::format("{} was taken away while in use; a new one is begun", path_));
    close_file();
  }
  if (!file_) {
    auto file = open_for_writing(path_, wall_now());
    if (!file) return std::unexpected(file.error());
    file_ = std::move(*file);
    if (file_->created) expired_.clear();
    if (file_->created && state_known_) mailbox_.ask_for_resync();
  }
  if (!writer_) {
    auto writer = Writer::prepare(file_->database, limits_);
    if (!writer) return std::unexpected(writer.error());
    writer_ = std::move(*writer);
  }
  return {};
}

DbResult<void> LedgerWorker::set_aside_damaged(const DbError& damage) {
  if (file_) file_->database.fold_log_on_close(false);
  close_file();
  const auto name = set_aside(path_, wall_now());
  if (!name) return std::unexpected(name.error());
  log_error(fmt::format("{}; the file is kept as {}, a new one is begun from memory", damage.text, *name));
  return {};
}

void LedgerWorker::close_file() {
  writer_.reset();
  file_.reset();
}

void LedgerWorker::succeeded() {
  state_known_ = true;
  if (!in_trouble()) return;
  log_notice(fmt::format("{} can be written again after {}; {} waiting batches are saved", path_,
                         approximate_duration(since(trouble_since_)), held_.size()));
  trouble_.clear();
  delay_ = Duration{0};
}

void LedgerWorker::failed(const DbError& error) {
  if (!in_trouble()) {
    log_error(fmt::format("{}; going on from memory and trying again", error.text));
    trouble_since_ = steady_clock::now();
  }
  trouble_ = error.text;
  mailbox_.failed(trouble_);
  delay_ = delay_ == Duration{0} ? limits_.first_retry : std::min(delay_ * 2, limits_.longest_retry);
  retry_at_ = steady_clock::now() + delay_;
  close_file();  // a fresh connection meets the world as it is by then
}

void LedgerWorker::tidy() {
  DbResult<bool> more = tidy_once();
  if (more) {
    if (!*more) tidy_at_ = steady_clock::now() + limits_.tidy_every;
    return;
  }
  if (more.error().kind == DbError::Kind::corrupt) {
    if (const auto done = set_aside_damaged(more.error()); !done) return failed(done.error());
    return write();  // opens the new one
  }
  failed(more.error());
}

DbResult<bool> LedgerWorker::tidy_once() {
  if (const auto ready = make_ready(); !ready) return std::unexpected(ready.error());
  auto transaction = Transaction::begin(file_->database);
  if (!transaction) return std::unexpected(transaction.error());
  const size_t first = expired_.size() - std::min(expired_.size(), expired_portion);
  if (!expired_.empty()) {
    const auto ended = writer_->end_active(std::span(expired_).subspan(first), started_wall_);
    if (!ended) return std::unexpected(ended.error());
  }
  const auto more = expired_.empty() ? writer_->tidy(wall_now()) : DbResult<bool>(true);
  if (!more) return more;
  if (const auto done = transaction->commit(); !done) return std::unexpected(done.error());
  expired_.resize(first);
  return more;
}

}  // namespace palang
