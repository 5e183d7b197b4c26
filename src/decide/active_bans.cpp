#include "decide/active_bans.hpp"

#include <algorithm>

namespace palang {

// The active ban with the longest prefix around `address` that satisfies `accept(subject)`.
template <typename Accept>
ActiveBans::Slot ActiveBans::longest(const Address& address, Hint& hint, Accept&& accept) const {
  for (const uint8_t bits : lengths_.of(address)) {
    const Prefix prefix = Prefix::around(address, bits);
    Slot& known = bits == 128 ? hint.single : hint.wider;
    Slot slot = known;
    if (!subjects_.holds(slot, prefix)) slot = subjects_.find(prefix);
    if (slot == none) continue;
    const Subject& subject = subjects_[slot];
    if (bits == 128 || subject.active) known = slot;
    if (subject.active && accept(subject)) return slot;
  }
  return none;
}

ActiveBans::Slot ActiveBans::search(const Address& address, WallTime now, Hint& hint) const {
  const auto in_force = [now](const Subject& ban) { return ban.until > now; };
  const Slot found = longest(address, hint, in_force);
  if (found == none || full_ == 0 || subjects_[found].scope == Scope::full) return found;
  Hint unused;
  const Slot full =
      longest(address, unused, [&](const Subject& ban) { return ban.scope == Scope::full && in_force(ban); });
  return full == none ? found : full;
}

void ActiveBans::prefetch(const Address& address, const Hint& hint) const {
  if (const Slot known = hint_of_longest(address, hint); known != none) return subjects_.prefetch_slot(known);
  for (const uint8_t bits : lengths_.of(address)) {
    const Slot known = bits == 128 ? hint.single : hint.wider;
    if (known == none) {
      subjects_.prefetch_index(Prefix::around(address, bits));
    } else {
      subjects_.prefetch_slot(known);
    }
  }
}

Decision ActiveBans::decision(Slot slot) const {
  const Subject& ban = subjects_[slot];
  Decision decision;
  decision.id = ban.id;
  decision.prefix = subjects_.prefix(slot);
  decision.from = ban.from;
  decision.until = ban.until;
  decision.proven_at = ban.proven_at;
  decision.count = ban.count;
  decision.port = ban.port;
  decision.protocol = ban.protocol;
  decision.rule = ban.rule;
  decision.scope = ban.scope;
  decision.origin = ban.origin;
  decision.proof = ban.proof;
  decision.repeat = ban.repeat;
  return decision;
}

void ActiveBans::put(Slot slot, const Decision& decision) {
  if (subjects_[slot].active) remove(slot);
  Subject& ban = subjects_[slot];
  ban.id = decision.id;
  ban.from = decision.from;
  ban.until = ban.told = decision.until;
  ban.proven_at = decision.proven_at;
  ban.last_seen = decision.from;
  ban.hits = ban.kernel_hits = 0;
  ban.count = decision.count;
  ban.port = decision.port;
  ban.protocol = decision.protocol;
  ban.rule = decision.rule;
  ban.scope = decision.scope;
  ban.origin = decision.origin;
  ban.proof = decision.proof;
  ban.repeat = decision.repeat;
  ban.moved = false;
  ban.active = true;
  ++size_;
  lengths_.add(decision.prefix);
  if (ban.scope == Scope::full) ++full_;
  if (candidates_.size() > most_queued()) candidates_ = {};
  if (!candidates_.empty()) candidates_.push(candidate(slot));
}

void ActiveBans::remove(Slot slot) {
  Subject& ban = subjects_[slot];
  if (ban.scope == Scope::full) --full_;
  ban.active = false;
  --size_;
  lengths_.remove(subjects_.prefix(slot));
}

const Subject& ActiveBans::saw(Slot slot, WallTime at, uint64_t packets) {
  Subject& ban = subjects_[slot];
  ban.hits += packets;
  ban.last_seen = std::max(ban.last_seen, at);
  return ban;
}

uint64_t ActiveBans::take_new_hits(Slot slot, uint64_t packets) {
  Subject& ban = subjects_[slot];
  const uint64_t known = packets < ban.kernel_hits ? 0 : ban.kernel_hits;
  ban.kernel_hits = packets;
  return packets - known;
}

void ActiveBans::schedule(Slot slot, WallTime when) {
  subjects_[slot].scheduled = when;
  agenda_.add({when, slot});
  if (agenda_.size() > most_queued()) rebuild_agenda();
}

void ActiveBans::rebuild_agenda() {
  agenda_.clear();
  for_each([&](Slot slot) { agenda_.add({subjects_[slot].scheduled, slot}); });
}

void ActiveBans::prefetch_upcoming() const {
  constexpr size_t most = 1024;  // more would push one another out of the cache
  agenda_.for_each_upcoming(most, [&](const Agenda::Entry& entry) {
    subjects_.prefetch_slot(entry.slot);
    subjects_.prefetch_rest_of_slot(entry.slot);
  });
}

std::optional<ActiveBans::Due> ActiveBans::next_due(WallTime now) {
  if (agenda_.advance(now)) prefetch_upcoming();
  while (const auto entry = agenda_.take(now)) {
    const bool current = is_active(entry->slot) && subjects_[entry->slot].scheduled == entry->when;
    if (current) return Due{entry->slot, entry->when};
  }
  return {};
}

ActiveBans::Candidate ActiveBans::candidate(Slot slot) const {
  const Subject& ban = subjects_[slot];
  return {ban.proof != Proof::forgeable, ban.last_seen, slot, ban.id};
}

ActiveBans::Slot ActiveBans::first_to_go() {
  if (candidates_.empty()) for_each([&](Slot slot) { candidates_.push(candidate(slot)); });
  while (!candidates_.empty()) {
    const Candidate first = candidates_.top();
    candidates_.pop();
    if (!is_active(first.slot) || subjects_[first.slot].id != first.id) continue;
    if (subjects_[first.slot].last_seen == first.last_seen) return first.slot;
    candidates_.push(candidate(first.slot));
  }
  return none;
}

}  // namespace palang
