#include "ledger/mailbox.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.hpp"

namespace palang {

namespace {

// About what it takes in memory.
uint64_t size_of(const LedgerBatch& batch) {
  uint64_t size = sizeof(batch);
  for (const Change& change : batch.changes) size += sizeof(change) + change.note.size();
  for (const Evidence& evidence : batch.evidence) size += sizeof(evidence) + evidence.line.size();
  for (const Pending& pending : batch.pending) {
    size += sizeof(pending) + pending.times.size() * sizeof(WallTime) + pending.values.size() * sizeof(uint64_t);
  }
  for (const Position& position : batch.positions)
    size += sizeof(position) + position.source.size() + position.value.size();
  for (const AllowEntry& entry : batch.allowed) size += sizeof(entry) + entry.note.size();
  return size + batch.disallowed.size() * sizeof(Prefix);
}

}  // namespace

// Without an eventfd (no descriptors left) the loop still sees everything at its next look.
Mailbox::Mailbox(uint64_t queue_bytes) : queue_bytes_(queue_bytes), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Mailbox::wake_loop() {
  const uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof(one));
}

void Mailbox::drop_everything() {
  health_.dropped += queue_.size() + taken_batches_ + 1;
  queue_.clear();
  queued_bytes_ = taken_bytes_ = taken_batches_ = 0;
  lost_ = forget_ = true;
  resync_wanted_ = false;  // not before something could be written again
}

void Mailbox::push(LedgerBatch batch) {
  const uint64_t size = size_of(batch);
  bool overflowed = false;
  {
    const std::lock_guard lock(mutex_);
    ++pushed_;
    if (lost_) {
      ++health_.dropped;
      return;
    }
    overflowed = queued_bytes_ + taken_bytes_ + size > queue_bytes_;
    if (overflowed) {
      drop_everything();
    } else {
      queued_bytes_ += size;
      queue_.emplace_back(std::move(batch));
    }
  }
  work_.notify_one();
  if (!overflowed) return;
  wake_loop();
  log_error(
      fmt::format("the ledger's queue is full ({} MiB): what waited is dropped, and written anew from memory "
                  "once the ledger can be written",
                  queue_bytes_ >> 20));
}

// Of any size: refusing it would leave nothing to recover with.
void Mailbox::push(Resync whole) {
  {
    const std::lock_guard lock(mutex_);
    ++pushed_;
    lost_ = resync_wanted_ = false;
    queue_.emplace_back(std::move(whole));
  }
  work_.notify_one();
}

bool Mailbox::wants_resync() {
  const std::lock_guard lock(mutex_);
  return resync_wanted_;
}

bool Mailbox::behind() {
  const std::lock_guard lock(mutex_);
  behind_ = health_.trouble.empty() && queued_bytes_ + taken_bytes_ > queue_bytes_ / 4;
  return behind_;
}

LedgerHealth Mailbox::health() {
  uint64_t events = 0;
  (void)!::read(event_.get(), &events, sizeof(events));
  const std::lock_guard lock(mutex_);
  LedgerHealth health = health_;
  health.queued_batches = queue_.size() + taken_batches_;
  health.queued_bytes = queued_bytes_ + taken_bytes_;
  if (!health.trouble.empty())
    health.lasting = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - trouble_since_);
  return health;
}

Result<void> Mailbox::wait_until_saved(Duration timeout, Patience patience) {
  std::unique_lock lock(mutex_);
  const uint64_t last = pushed_;
  if (synced_ >= last && !lost_) return {};
  sync_ = true;
  urgent_ = patience == Patience::insist;
  work_.notify_one();
  const auto over = [&] {
    return synced_ >= last || lost_ || (patience == Patience::give_up_in_trouble && !health_.trouble.empty());
  };
  progress_.wait_for(lock, timeout, over);
  if (synced_ >= last && !lost_) return {};
  std::string text = "save to the ledger: ";
  text += health_.trouble.empty() ? "not done within " + format_duration(timeout) : health_.trouble;
  if (lost_) return fail(text + "; what waited had to be dropped");
  const uint64_t waiting = queue_.size() + taken_batches_;
  return fail(fmt::format("{}; {}", text, waiting == 1 ? "1 batch waits" : fmt::format("{} batches wait", waiting)));
}

void Mailbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_one();
}

Mailbox::Taken Mailbox::take(Duration at_most, bool in_trouble) {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, at_most,
                 [&] { return closing_ || urgent_ || forget_ || (!in_trouble && (!queue_.empty() || sync_)); });
  Taken taken{std::move(queue_), pushed_, forget_, sync_, urgent_, closing_};
  queue_.clear();
  taken_bytes_ += std::exchange(queued_bytes_, 0);
  taken_batches_ += taken.work.size();
  forget_ = sync_ = urgent_ = false;
  return taken;
}

void Mailbox::saved(uint64_t last, bool synced, uint64_t batches, const PrunedRows& newly_pruned) {
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    taken_bytes_ = taken_batches_ = 0;
    if (synced) synced_ = last;
    ++health_.commits;
    health_.batches += batches;
    health_.pruned.evidence += newly_pruned.evidence;
    health_.pruned.decisions += newly_pruned.decisions;
    news = !health_.trouble.empty() || (lost_ && !resync_wanted_) || std::exchange(behind_, false);
    health_.trouble.clear();
    if (lost_) resync_wanted_ = true;
  }
  progress_.notify_all();
  if (news) wake_loop();
}

void Mailbox::failed(const std::string& sentence) {
  {
    const std::lock_guard lock(mutex_);
    if (health_.trouble.empty()) trouble_since_ = std::chrono::steady_clock::now();
    health_.trouble = sentence;
  }
  progress_.notify_all();
  wake_loop();
}

void Mailbox::ask_for_resync() {
  {
    const std::lock_guard lock(mutex_);
    resync_wanted_ = true;
  }
  wake_loop();
}

}  // namespace palang
