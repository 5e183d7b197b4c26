#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

#include "decide/agenda.hpp"
#include "decide/subjects.hpp"
#include "model/decision.hpp"
#include "net/prefix_lengths.hpp"

namespace palang {

// The decisions in force, by prefix: who is covered, what ends next, who gives way when there are too many.
class ActiveBans {
 public:
  using Slot = Subjects::Slot;  // stays with its prefix as long as the decision is in force
  static constexpr Slot none = Subjects::none;

  explicit ActiveBans(Subjects& subjects) : subjects_(subjects) {}

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t size_of(Scope scope) const { return scope == Scope::full ? full_ : size_ - full_; }

  // Where the subjects of an address were found before. Saves the search where they are still there.
  struct Hint {
    Slot single = none;  // of the address itself
    Slot wider = none;   // of the network whose ban covered it last
  };
  // The ban that covers `address` at `now`: the longest prefix that is not over, a full one before a quiet one.
  [[nodiscard]] Slot covering(const Address& address, WallTime now, Hint& hint) const {
    const Slot known = hint_of_longest(address, hint);
    return known != none && stops_all(known, address, now) ? known : search(address, now, hint);
  }
  [[nodiscard]] Slot covering(const Address& address, WallTime now) const {
    Hint nothing;
    return covering(address, now, nothing);
  }
  // Whether covering() is likely to find a ban; a look at what prefetch() loaded.
  [[nodiscard]] bool may_stop(const Hint& hint) const { return is_active(hint.single) || is_active(hint.wider); }
  // Whether there was a decision about one of its subjects.
  [[nodiscard]] static bool knows(const Hint& hint) { return hint.single != none || hint.wider != none; }
  // Starts the memory accesses of covering(), and those of another decision about the same subject (see SeededTable).
  void prefetch(const Address& address, const Hint& hint) const;
  void prefetch_decision(const Hint& hint) const {
    subjects_.prefetch_rest_of_slot(hint.single);
    subjects_.prefetch_rest_of_slot(hint.wider);
  }

  [[nodiscard]] Slot find(const Prefix& exact) const {
    const Slot slot = subjects_.find(exact);
    return slot != none && subjects_[slot].active ? slot : none;
  }
  [[nodiscard]] bool has_longer_than(const Prefix& wide) const { return lengths_.has_longer_than(wide); }

  [[nodiscard]] const Prefix& prefix(Slot slot) const { return subjects_.prefix(slot); }
  [[nodiscard]] const Subject& ban(Slot slot) const { return subjects_[slot]; }
  [[nodiscard]] Decision decision(Slot slot) const;

  // Adds the decision or replaces the one of the same subject.
  void put(Slot slot, const Decision& decision);
  void remove(Slot slot);

  const Subject& saw(Slot slot, WallTime at, uint64_t packets);  // the ban
  // What is new in a kernel counter that reads `packets`; it begins anew when its element is written anew.
  [[nodiscard]] uint64_t take_new_hits(Slot slot, uint64_t packets);
  void move_end(Slot slot, WallTime until) {
    subjects_[slot].until = until;
    subjects_[slot].moved = true;
  }
  void set_told(Slot slot) {
    subjects_[slot].told = subjects_[slot].until;
    subjects_[slot].kernel_hits = 0;
  }
  // When next_due() is to name this ban again.
  void schedule(Slot slot, WallTime when);

  // Nothing is due at `now`; false where only next_due() can tell.
  [[nodiscard]] bool rests(WallTime now) const { return agenda_.rests(now); }
  // A ban whose scheduled time has come, earliest first. Only a ban's latest schedule() counts, and once.
  struct Due {
    Slot slot = none;
    WallTime when;
  };
  [[nodiscard]] std::optional<Due> next_due(WallTime now);
  // Entries of the agenda and of the queue to go, those that nobody needs any more included: O(size()) (promise 5).
  [[nodiscard]] size_t queued() const { return agenda_.size() + candidates_.size(); }
  // When to ask next_due() again, at the latest.
  [[nodiscard]] std::optional<WallTime> next_time() const { return agenda_.next(); }

  // Who gives way to the budget: the least recently seen unproven, then the least recently seen proven.
  [[nodiscard]] Slot first_to_go();

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Slot slot = 0; slot < subjects_.slots(); ++slot)
      if (subjects_[slot].active) visit(slot);
  }

 private:
  // A ban's rank when it was queued to go. Being seen raises it; that is noticed when it comes up.
  struct Candidate {
    bool proven;
    WallTime last_seen;
    Slot slot;
    uint64_t id;
    friend bool operator>(const Candidate& a, const Candidate& b) {
      return std::tie(a.proven, a.last_seen, a.id) > std::tie(b.proven, b.last_seen, b.id);
    }
  };
  [[nodiscard]] Candidate candidate(Slot slot) const;
  // More queued than this are mostly of bans that are gone or were scheduled anew.
  [[nodiscard]] size_t most_queued() const { return 4 * size_ + 4096; }
  // The hint about the longest prefix in use: the one that a search would look at first.
  [[nodiscard]] Slot hint_of_longest(const Address& address, const Hint& hint) const {
    const auto& lengths = lengths_.of(address);
    if (lengths.empty()) return none;
    return lengths.front() == 128 ? hint.single : hint.wider;
  }
  // Whether this is a ban of the longest prefix in use that covers the address, and no other drops more.
  [[nodiscard]] bool stops_all(Slot slot, const Address& address, WallTime now) const {
    const auto& [prefix, ban] = subjects_.entry(slot);
    if (!ban.active || ban.until <= now || (full_ != 0 && ban.scope != Scope::full)) return false;
    if (prefix.is_single()) return prefix.address() == address;
    return prefix.bits() == lengths_.of(address).front() && prefix.contains(address);
  }
  [[nodiscard]] Slot search(const Address& address, WallTime now, Hint& hint) const;
  [[nodiscard]] bool is_active(Slot slot) const { return slot < subjects_.slots() && subjects_[slot].active; }
  template <typename Accept>
  [[nodiscard]] Slot longest(const Address& address, Hint& hint, Accept&& accept) const;
  void rebuild_agenda();
  void prefetch_upcoming() const;

  Subjects& subjects_;
  PrefixLengths lengths_;
  size_t size_ = 0;
  size_t full_ = 0;
  Agenda agenda_;
  // Built when the budget is reached for the first time; until then nobody pays for it.
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace palang
