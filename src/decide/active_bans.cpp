#include "decide/active_bans.hpp"

#include <algorithm>

namespace palang {

ActiveBans::Slot ActiveBans::covering(const Address& address, WallTime now, Slot hint) const {
  if (bans_.used(hint) && bans_.value(hint).until > now && bans_.key(hint).contains(address)) {
    // As good as a search unless there may be a longer prefix, or a full one besides.
    const bool longest = !bans_.has_longer_than(bans_.key(hint));
    if (longest && (full_ == 0 || bans_.value(hint).scope == Scope::full)) return hint;
  }
  const auto in_force = [now](const ActiveBan& ban) { return ban.until > now; };
  const Slot longest = bans_.find_covering(Prefix::of(address), in_force);
  if (longest == none || full_ == 0 || bans_.value(longest).scope == Scope::full) return longest;
  const Slot full = bans_.find_covering(
      Prefix::of(address), [&](const ActiveBan& ban) { return ban.scope == Scope::full && in_force(ban); });
  return full == none ? longest : full;
}

Decision ActiveBans::decision(Slot slot) const {
  const ActiveBan& ban = bans_.value(slot);
  Decision decision;
  decision.id = ban.id;
  decision.prefix = bans_.key(slot);
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

ActiveBans::Slot ActiveBans::put(const Decision& decision) {
  if (const Slot old = bans_.find(decision.prefix); old != none) remove(old);
  const Slot slot = bans_.find_or_insert(decision.prefix).first;
  ActiveBan& ban = bans_.value(slot);
  ban.id = decision.id;
  ban.from = decision.from;
  ban.until = decision.until;
  ban.proven_at = decision.proven_at;
  ban.last_seen = decision.from;
  ban.told = decision.until;
  ban.count = decision.count;
  ban.port = decision.port;
  ban.protocol = decision.protocol;
  ban.rule = decision.rule;
  ban.scope = decision.scope;
  ban.origin = decision.origin;
  ban.proof = decision.proof;
  ban.repeat = decision.repeat;
  if (ban.scope == Scope::full) ++full_;
  if (candidates_.size() > most_queued()) candidates_ = {};
  if (!candidates_.empty()) candidates_.push(candidate(slot));
  return slot;
}

void ActiveBans::remove(Slot slot) {
  const ActiveBan& ban = bans_.value(slot);
  if (ban.scope == Scope::full) --full_;
  bans_.erase(slot);
}

void ActiveBans::saw(Slot slot, WallTime at, uint64_t packets) {
  ActiveBan& ban = bans_.value(slot);
  ban.hits += packets;
  ban.last_seen = std::max(ban.last_seen, at);
}

uint64_t ActiveBans::take_new_hits(Slot slot, uint64_t packets) {
  ActiveBan& ban = bans_.value(slot);
  const uint64_t known = packets < ban.kernel_hits ? 0 : ban.kernel_hits;
  ban.kernel_hits = packets;
  return packets - known;
}

void ActiveBans::schedule(Slot slot, WallTime when) {
  bans_.value(slot).scheduled = when;
  agenda_.add({when, slot});
  if (agenda_.size() > most_queued()) rebuild_agenda();
}

void ActiveBans::rebuild_agenda() {
  agenda_.clear();
  for_each([&](Slot slot) { agenda_.add({bans_.value(slot).scheduled, slot}); });
}

std::optional<ActiveBans::Due> ActiveBans::next_due(WallTime now) {
  while (const auto entry = agenda_.take(now)) {
    const bool current = bans_.used(entry->slot) && bans_.value(entry->slot).scheduled == entry->when;
    if (current) return Due{entry->slot, entry->when};
  }
  return {};
}

ActiveBans::Candidate ActiveBans::candidate(Slot slot) const {
  const ActiveBan& ban = bans_.value(slot);
  return {ban.proof != Proof::forgeable, ban.last_seen, slot, ban.id};
}

ActiveBans::Slot ActiveBans::first_to_go() {
  if (candidates_.empty()) for_each([&](Slot slot) { candidates_.push(candidate(slot)); });
  while (!candidates_.empty()) {
    const Candidate first = candidates_.top();
    candidates_.pop();
    if (!bans_.used(first.slot) || bans_.value(first.slot).id != first.id) continue;
    if (bans_.value(first.slot).last_seen == first.last_seen) return first.slot;
    candidates_.push(candidate(first.slot));
  }
  return none;
}

}  // namespace palang
