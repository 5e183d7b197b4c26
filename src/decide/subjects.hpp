#pragma once

#include <cstdint>
#include <utility>

#include "base/seeded_table.hpp"
#include "base/time.hpp"
#include "model/decision.hpp"
#include "net/prefix.hpp"

namespace palang {

// What is known of one prefix that was decided about: the decision in force, if any, and the offences remembered.
// Ordered so that a knock, the most frequent thing by far, and an offence touch only the first cache line of an entry.
struct Subject {
  WallTime until;  // these are of the decision in force, or of the last
  WallTime last_seen;
  uint64_t hits = 0;          // packets stopped so far, as far as known
  uint32_t last_offence = 0;  // when its last ban ended or will end, in seconds since 1970 (good until 2106)
  Rule rule = Rule::blocked;
  uint8_t offences = 0;  // decisions so far; saturates
  uint8_t repeat = 0;
  uint32_t count = 1;
  uint16_t port = 0;
  Scope scope : 1 = Scope::quiet;
  Origin origin : 4 = Origin::local;
  Proof proof : 3 = Proof::forgeable;
  Protocol protocol : 4 = Protocol::other;
  bool active : 1 = false;  // there is a decision in force
  bool moved : 1 = false;   // a knock has moved its end

  WallTime from;
  WallTime proven_at;
  WallTime told;       // the end that the kernel and the ledger were last told
  WallTime scheduled;  // when ActiveBans::next_due() names it
  uint64_t id = 0;
  uint64_t kernel_hits = 0;  // of `hits`, how many the kernel's present counter shows
};

// All subjects. How often one was decided about before is the n that doubles a ban; an offence is forgotten once the
// end of its ban is `remember` ago. Bounded: among a few without a decision in force, the one longest gone gives way.
class Subjects {
 public:
  using Table = SeededTable<Prefix, Subject>;
  using Slot = Table::Slot;
  static constexpr Slot none = Table::none;

  // `most` is well above the number of decisions that can be in force at one time.
  Subjects(HashSeed seed, Duration remember, uint32_t most) : table_(seed), remember_(remember), most_(most) {}

  [[nodiscard]] Slot find(const Prefix& prefix) const { return table_.find(prefix); }
  // Whether this slot, found at some time in the past, is still that of `prefix`.
  [[nodiscard]] bool holds(Slot slot, const Prefix& prefix) const { return table_.holds(slot, prefix); }
  [[nodiscard]] Slot find_or_insert(const Prefix& prefix);
  [[nodiscard]] const Prefix& prefix(Slot slot) const { return table_.key(slot); }
  [[nodiscard]] Subject& operator[](Slot slot) { return table_.value(slot); }
  [[nodiscard]] const Subject& operator[](Slot slot) const { return table_.value(slot); }
  // Both at once.
  [[nodiscard]] std::pair<const Prefix&, const Subject&> entry(Slot slot) const {
    return {table_.key(slot), table_.value(slot)};
  }
  [[nodiscard]] Slot slots() const { return table_.slots(); }
  void reserve(size_t more) { table_.reserve(table_.size() + more); }
  void prefetch_index(const Prefix& prefix) const { table_.prefetch_index(prefix); }
  void prefetch_slot(Slot slot) const { table_.prefetch_slot(slot); }
  void prefetch_rest_of_slot(Slot slot) const { table_.prefetch_rest_of_slot(slot); }

  // Earlier decisions for exactly this prefix that are still remembered at `now`.
  [[nodiscard]] uint8_t offences(const Prefix& prefix, WallTime now) const;
  // A decision is made at `at`; returns how many were made before.
  uint8_t add_offence(Slot slot, WallTime at);
  // A decision of the past, which had `repeat` before it and ended (or will end) at `until`.
  void restore_offence(const Prefix& prefix, uint8_t repeat, WallTime until);
  // Its ban ended, or will end, at `at`.
  void offence_ends(Slot slot, WallTime at);
  void use(Duration remember, uint32_t most) {
    remember_ = remember;
    most_ = most;
  }

  [[nodiscard]] uint64_t evicted() const { return evicted_; }

 private:
  [[nodiscard]] bool remembers(const Subject& subject, WallTime now) const;
  void make_room();

  Table table_;
  Duration remember_;
  uint32_t most_;
  uint64_t evicted_ = 0;
};

}  // namespace palang
