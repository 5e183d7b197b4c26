#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

#include "decide/agenda.hpp"
#include "model/decision.hpp"
#include "net/prefix_map.hpp"

namespace palang {

// One active decision with what only the living need; its prefix is the key.
struct ActiveBan {
  WallTime until;
  WallTime last_seen;
  uint64_t hits = 0;  // packets stopped so far, as far as known
  Rule rule = Rule::blocked;
  Scope scope = Scope::quiet;
  Origin origin = Origin::local;
  Proof proof = Proof::forgeable;
  Protocol protocol = Protocol::other;
  uint8_t repeat = 0;
  bool moved = false;  // a knock has moved its end
  uint16_t port = 0;
  WallTime proven_at;
  uint64_t id = 0;
  WallTime from;
  WallTime told;             // the end that the kernel and the ledger were last told
  WallTime scheduled;        // when next_due() names it
  uint64_t kernel_hits = 0;  // of `hits`, how many the kernel's present counter shows
  uint32_t count = 1;
};

// The decisions in force, by prefix: who is covered, what ends next, who gives way when there are too many.
class ActiveBans {
 public:
  using Slot = uint32_t;
  static constexpr Slot none = UINT32_MAX;

  explicit ActiveBans(HashSeed seed) : bans_(seed) {}

  [[nodiscard]] size_t size() const { return bans_.size(); }
  [[nodiscard]] size_t size_of(Scope scope) const { return scope == Scope::full ? full_ : size() - full_; }
  void reserve(size_t bans) { bans_.reserve(bans); }
  void prefetch_index(const Address& address) const { bans_.prefetch_index(address); }
  void prefetch_slot(Slot slot) const { bans_.prefetch_slot(slot); }

  // The ban that covers `address` at `now`: the longest prefix that is not over, a full one before a quiet one.
  // `hint` may be the slot that an earlier answer for this address named; it saves the search where it still holds.
  [[nodiscard]] Slot covering(const Address& address, WallTime now, Slot hint = none) const;
  [[nodiscard]] Slot find(const Prefix& exact) const { return bans_.find(exact); }
  [[nodiscard]] bool has_longer_than(const Prefix& wide) const { return bans_.has_longer_than(wide); }

  [[nodiscard]] const Prefix& prefix(Slot slot) const { return bans_.key(slot); }
  [[nodiscard]] const ActiveBan& ban(Slot slot) const { return bans_.value(slot); }
  [[nodiscard]] Decision decision(Slot slot) const;

  // Adds the decision or replaces the one for the same prefix.
  Slot put(const Decision& decision);
  void remove(Slot slot);

  void saw(Slot slot, WallTime at, uint64_t packets);
  // What is new in a kernel counter that reads `packets`; it begins anew when its element is written anew.
  [[nodiscard]] uint64_t take_new_hits(Slot slot, uint64_t packets);
  void move_end(Slot slot, WallTime until) {
    bans_.value(slot).until = until;
    bans_.value(slot).moved = true;
  }
  void set_told(Slot slot) {
    bans_.value(slot).told = bans_.value(slot).until;
    bans_.value(slot).kernel_hits = 0;
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
    for (Slot slot = 0; slot < bans_.slots(); ++slot)
      if (bans_.used(slot)) visit(slot);
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
  [[nodiscard]] size_t most_queued() const { return 4 * bans_.size() + 4096; }
  void rebuild_agenda();

  PrefixMap<ActiveBan> bans_;
  size_t full_ = 0;
  Agenda agenda_;
  // Built when the budget is reached for the first time; until then nobody pays for it.
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace palang
