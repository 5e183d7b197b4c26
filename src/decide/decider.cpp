#include "decide/decider.hpp"

#include <algorithm>

namespace palang {
namespace {

// Memory of the past is bounded like the present, with room for those who are free at the moment.
uint32_t remembered_subjects(uint32_t budget) {
  return std::max<uint32_t>(budget, 10'000) * 2;
}

}  // namespace

Decider::Decider(const BanSettings& settings, HashSeed seed, Looks looks)
    : settings_(settings),
      looks_(looks),
      subjects_(seed, settings.remember, remembered_subjects(settings.budget)),
      active_(subjects_),
      widening_(settings.widen, seed, remembered_subjects(settings.budget)) {}

Duration Decider::doubled(Duration base, uint8_t repeat, Duration at_most) {
  Duration length = base;
  for (uint8_t i = 0; i < repeat && length < at_most; ++i) length *= 2;
  return std::min(length, at_most);
}

const RuleBan* Decider::own_ban_of(Rule rule) const {
  const auto id = static_cast<size_t>(rule);
  return id < own_bans_.size() && own_bans_[id] ? &*own_bans_[id] : nullptr;
}

// A rule's own length bounds what a knock adds, too: who asks for ten minutes doesn't mean two days after the last
// packet.
Decider::Terms Decider::terms_of(Rule rule) const {
  Terms terms{settings_.first, settings_.at_most, settings_.quiet};
  const RuleBan* own = own_ban_of(rule);
  if (own == nullptr) return terms;
  terms.first = own->first.value_or(std::min(terms.first, own->at_most.value_or(terms.first)));
  terms.at_most = own->at_most.value_or(std::max(terms.at_most, terms.first));
  if (own->first) terms.quiet = std::min(terms.quiet, *own->first);
  return terms;
}

Duration Decider::length_for(const Prefix& subject, WallTime at) const {
  return doubled(settings_.first, subjects_.offences(subject, at), settings_.at_most);
}

bool Decider::is_old_news(const Address& source, WallTime at, WallTime now, Rule rule) const {
  if (own_ban_of(rule) == nullptr && at + settings_.first > now) return false;  // no ban is shorter
  const Terms terms = terms_of(rule);
  if (at + terms.first > now) return false;
  const uint8_t repeat = subjects_.offences(widening_.would_be_subject(source, at), at);
  return at + doubled(terms.first, repeat, terms.at_most) <= now;
}

ActiveBans::Slot Decider::decide(const Finding& finding, std::vector<Change>& changes) {
  const Terms terms = terms_of(finding.rule);
  const RuleBan* own = own_ban_of(finding.rule);
  Decision decision;
  decision.prefix = finding.bits == 128 ? widening_.subject_for(finding.offender, finding.at)
                                        : Prefix::around(finding.offender, finding.bits);
  decision.from = finding.at;
  decision.proven_at = finding.at;
  decision.count = finding.count;
  decision.port = finding.port;
  decision.protocol = finding.protocol;
  decision.rule = finding.rule;
  decision.scope = settings_.always_full || finding.proof != Proof::forgeable ? Scope::full : Scope::quiet;
  if (own != nullptr && own->scope) decision.scope = *own->scope;
  decision.proof = finding.proof;
  const auto slot = subjects_.find_or_insert(decision.prefix);
  decision.repeat = subjects_.add_offence(slot, finding.at);
  decision.until = finding.at + doubled(terms.first, decision.repeat, terms.at_most);
  enter(slot, decision, {}, changes);
  return slot;
}

Decision Decider::impose(Decision decision, std::string note, std::vector<Change>& changes) {
  const auto slot = subjects_.find_or_insert(decision.prefix);
  decision.repeat = subjects_.add_offence(slot, decision.from);
  enter(slot, decision, std::move(note), changes);
  return active_.decision(slot);
}

void Decider::enter(ActiveBans::Slot slot, Decision& decision, std::string note, std::vector<Change>& changes) {
  if (active_.ban(slot).active) remove(slot, ChangeKind::absorbed, decision.from, changes);
  absorb_inside(decision, changes);
  decision.id = ++last_id_;
  subjects_.offence_ends(slot, decision.until);
  active_.put(slot, decision);
  schedule_next(slot, decision.from);
  changes.push_back({ChangeKind::added, decision, decision.from, std::move(note)});
  keep_to_budget(decision.from, changes);
}

// Narrower bans that the wide one makes needless. Those that last longer or drop more stay.
void Decider::absorb_inside(const Decision& wide, std::vector<Change>& changes) {
  const auto absorb = [&](ActiveBans::Slot slot) {
    const Subject& ban = active_.ban(slot);
    if (ban.until > wide.until || (ban.scope == Scope::full && wide.scope == Scope::quiet)) return;
    remove(slot, ChangeKind::absorbed, wide.from, changes);
  };
  constexpr uint8_t few_host_bits = 8;
  constexpr size_t few_bans = 4096;
  if (!active_.has_longer_than(wide.prefix)) return;
  if (wide.prefix.bits() >= 128 - few_host_bits) {
    const uint64_t hosts = uint64_t{1} << (128 - wide.prefix.bits());
    const Address& base = wide.prefix.address();
    for (uint64_t host = 0; hosts > 1 && host < hosts; ++host) {
      const auto slot = active_.find(Prefix::of(Address::from_words(base.high(), base.low() + host)));
      if (slot != ActiveBans::none) absorb(slot);
    }
  } else if (active_.size() <= few_bans) {
    std::vector<ActiveBans::Slot> inside;
    active_.for_each([&](ActiveBans::Slot slot) {
      if (active_.prefix(slot) != wide.prefix && wide.prefix.contains(active_.prefix(slot))) inside.push_back(slot);
    });
    for (const auto slot : inside) absorb(slot);
  }
}

void Decider::keep_to_budget(WallTime now, std::vector<Change>& changes) {
  while (active_.size() > settings_.budget) {
    remove(active_.first_to_go(), ChangeKind::evicted, now, changes);
    ++evicted_;
  }
}

void Decider::remove(ActiveBans::Slot slot, ChangeKind kind, WallTime at, std::vector<Change>& changes) {
  const bool as_foreseen = kind == ChangeKind::ended && !active_.ban(slot).moved;
  if (!as_foreseen) subjects_.offence_ends(slot, at);
  changes.push_back({kind, active_.decision(slot), at, {}});
  active_.remove(slot);
}

size_t Decider::lift(const Prefix& prefix, WallTime now, std::vector<Change>& changes) {
  std::vector<ActiveBans::Slot> inside;
  if (prefix.is_single()) {
    if (const auto slot = active_.find(prefix); slot != ActiveBans::none) inside.push_back(slot);
  } else {
    active_.for_each([&](ActiveBans::Slot slot) {
      if (prefix.contains(active_.prefix(slot))) inside.push_back(slot);
    });
  }
  for (const auto slot : inside) remove(slot, ChangeKind::lifted, now, changes);
  return inside.size();
}

size_t Decider::lift_all(WallTime now, std::vector<Change>& changes) {
  std::vector<ActiveBans::Slot> all;
  active_.for_each([&](ActiveBans::Slot slot) { all.push_back(slot); });
  for (const auto slot : all) remove(slot, ChangeKind::lifted, now, changes);
  return all.size();
}

void Decider::knock(ActiveBans::Slot slot, WallTime at, uint64_t packets) {
  const Subject& ban = active_.saw(slot, at, packets);
  if (ban.origin != Origin::local || settings_.quiet <= Duration{0}) return;
  const Terms terms = terms_of(ban.rule);
  WallTime until = at + doubled(terms.quiet, ban.repeat, terms.at_most);
  // Knocks can be forged, so they alone don't keep an open port closed to anyone for ever.
  if (ban.scope == Scope::full) until = std::min(until, ban.proven_at + terms.at_most);
  if (until > ban.until) active_.move_end(slot, until);
}

void Decider::look(ActiveBans::Slot slot, WallTime at, uint64_t packets, std::vector<Change>& changes) {
  const uint64_t fresh = active_.take_new_hits(slot, packets);
  if (fresh == 0) return;
  knock(slot, at, fresh);
  tell(slot, at, changes);
  schedule_next(slot, at);
}

void Decider::use(const BanSettings& settings) {
  settings_ = settings;
  subjects_.use(settings.remember, remembered_subjects(settings.budget));
  widening_.use(settings.widen);
}

void Decider::use(std::span<const RuleSettings> rules) {
  own_bans_.clear();
  for (const RuleSettings& rule : rules) {
    const auto note = [&](Rule named) {
      const auto id = static_cast<size_t>(named);
      if (named == Rule::recovered) return;
      if (own_bans_.size() <= id) own_bans_.resize(id + 1);
      own_bans_[id] = rule.ban;
    };
    if (rule.ban == RuleBan{}) continue;
    note(rule_named(rule.name));
    if (rule.distributed) note(rule_named(distributed_name(rule)));
  }
}

void Decider::tell(ActiveBans::Slot slot, WallTime now, std::vector<Change>& changes) {
  if (active_.ban(slot).until == active_.ban(slot).told) return;
  active_.set_told(slot);
  changes.push_back({ChangeKind::moved, active_.decision(slot), now, {}});
}

void Decider::advance(WallTime now, std::vector<Change>& changes, std::vector<ActiveBans::Slot>& looks) {
  while (const auto due = active_.next_due(now)) {
    if (active_.ban(due->slot).until <= due->when) {
      remove(due->slot, ChangeKind::ended, active_.ban(due->slot).until, changes);
      continue;
    }
    tell(due->slot, due->when, changes);
    if (looks_ == Looks::kernel_counters) looks.push_back(due->slot);
    schedule_next(due->slot, due->when);
  }
}

// The next look is an eighth of the remaining time away, so that the end moves with the knocks to within that; the
// last one is just before the end that the kernel knows, in time to move it.
void Decider::schedule_next(ActiveBans::Slot slot, WallTime now) {
  const Subject& ban = active_.ban(slot);
  if (looks_ == Looks::none || settings_.quiet <= Duration{0} || ban.origin != Origin::local) {
    active_.schedule(slot, ban.told);
    return;
  }
  const Duration remaining = ban.told - now;
  const Duration margin = std::clamp<Duration>(remaining / 16, 100ms, 30s);
  const Duration step = std::max<Duration>(remaining / 8, 1s);
  if (remaining <= margin * 2) {
    active_.schedule(slot, ban.told);
  } else {
    active_.schedule(slot, std::min(now + step, ban.told - margin));
  }
}

void Decider::restore_past(std::span<const PastDecision> oldest_first) {
  for (const PastDecision& past : oldest_first) remember(past.prefix, past.rule, past.repeat, past.from, past.until);
}

void Decider::remember(const Prefix& prefix, Rule rule, uint8_t repeat, WallTime from, WallTime until) {
  subjects_.restore_offence(prefix, repeat, until);
  const bool fell = rule != Rule::manual && rule != Rule::recovered;
  if (fell) widening_.remember(prefix, from);
}

void Decider::restore_active(std::span<const Decision> active, WallTime now) {
  subjects_.reserve(active.size());
  for (const Decision& decision : active) {
    continue_after(decision.id);
    remember(decision.prefix, decision.rule, decision.repeat, decision.from, decision.until);
    const auto slot = subjects_.find_or_insert(decision.prefix);
    active_.put(slot, decision);
    schedule_next(slot, now);
  }
}

}  // namespace palang
