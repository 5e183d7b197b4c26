#include "enforce/ipset_enforcer.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "enforce/nft_plan.hpp"

namespace palang {
namespace {

constexpr size_t most_filled_in_place = 50'000;
constexpr auto most_listing_age = 5s;
constexpr auto look_at_rules_every = 10s;

size_t index_of(const IpsetSet& set) {
  return static_cast<size_t>(std::ranges::find(ipset_sets(), set) - ipset_sets().begin());
}

// Entries for each set, in the order of ipset_sets().
class EntriesBySet {
 public:
  EntriesBySet() : lists_(ipset_sets().size()) {}
  void put(Role role, const Prefix& prefix, WallTime until) {
    for (const Prefix& part : ipset_prefixes(prefix)) list(IpsetSet::of(role, part)).push_back({part, 0, until, 0});
  }
  void put_ports(Role role, const PortSet& ports) {
    for (const uint16_t port : ports.list()) list(IpsetSet{role}).push_back({{}, port, WallTime::max(), 0});
  }
  [[nodiscard]] std::vector<IpsetEntry>& list(const IpsetSet& set) { return lists_[index_of(set)]; }

 private:
  std::vector<std::vector<IpsetEntry>> lists_;
};

EntriesBySet everything_intended(const Intended& intended, WallTime now) {
  EntriesBySet entries;
  for (const Allowed& allowed : intended.allowed)
    if (allowed.until > now) entries.put(Role::allow, allowed.prefix, allowed.until);
  entries.put_ports(Role::open_tcp, intended.open.tcp);
  entries.put_ports(Role::open_udp, intended.open.udp);
  if (intended.bans)
    for (const Ban& ban : *intended.bans)
      if (ban.until > now) entries.put(role_of(ban.scope), ban.prefix, ban.until);
  return entries;
}

bool entry_less(const IpsetEntry& a, const IpsetEntry& b) {
  return a.port != b.port ? a.port < b.port : a.prefix < b.prefix;
}

// Sorted, each once with its latest end.
void sort_entries(std::vector<IpsetEntry>& entries) {
  std::ranges::sort(entries, [](const IpsetEntry& a, const IpsetEntry& b) {
    return entry_less(a, b) || (!entry_less(b, a) && a.until > b.until);
  });
  const auto same = [](const IpsetEntry& a, const IpsetEntry& b) { return !entry_less(a, b) && !entry_less(b, a); };
  const auto repeated = std::ranges::unique(entries, same);
  entries.erase(repeated.begin(), repeated.end());
}

EntryDifference compare_entries(const std::vector<IpsetEntry>& intended, const std::vector<IpsetEntry>& held,
                                WallTime now) {
  EntryDifference difference;
  auto have = held.begin();
  for (const IpsetEntry& want : intended) {
    for (; have != held.end() && entry_less(*have, want); ++have) difference.extra.push_back(*have);
    if (have == held.end() || entry_less(want, *have)) {
      difference.fresh.push_back(want);
      continue;
    }
    if (!same_ipset_end(want.until, have->until, now)) difference.refreshed.push_back(want);
    ++have;
  }
  difference.extra.insert(difference.extra.end(), have, held.end());
  return difference;
}

IpsetSocket::Counters from_zero_in(const IpsetSet& set) {
  return set.holds_bans() ? IpsetSocket::Counters::from_zero : IpsetSocket::Counters::as_they_are;
}

// A prefix that went from one scope to the other was neither added nor removed.
void count_moves(const IpsetSet& a, const EntryDifference& from, const IpsetSet& b, const EntryDifference& to,
                 ReconcileReport& report) {
  if (!a.holds_bans() || !b.holds_bans() || a.role == b.role || a.v4 != b.v4 || a.networks != b.networks) return;
  std::vector<IpsetEntry> moved;
  std::ranges::set_intersection(from.extra, to.fresh, std::back_inserter(moved), entry_less);
  report.added -= moved.size();
  report.removed -= moved.size();
  report.refreshed += moved.size();
}

}  // namespace

Result<std::unique_ptr<IpsetEnforcer>> IpsetEnforcer::open() {
  auto sets = IpsetSocket::open();
  if (!sets) return Failure(sets.error());
  if (const auto heads = sets->heads(); !heads) return Failure(heads.error());
  auto iptables = Iptables::choose();
  if (!iptables) return Failure(iptables.error());
  if (auto done = iptables->remove_from_the_other(); !done) return Failure(done.error());
  return std::unique_ptr<IpsetEnforcer>(new IpsetEnforcer(std::move(*sets), std::move(*iptables)));
}

// Whether anything was missing, or of another make.
Result<bool> IpsetEnforcer::build_sets() {
  const auto heads = sets_.heads();
  if (!heads) return Failure(heads.error());
  bool missing = false;
  for (const IpsetSet& set : ipset_sets()) {
    missing |= !heads->contains(set.name());
    auto made = sets_.create(set, set.name(), 0);
    if (!made && made.error().os == EEXIST) {
      missing = true;
      made = replace_set(set, {}, CallClock(WallTime{}));
    }
    if (!made) return Failure(made.error());
  }
  return missing;
}

// Beside the one in force, whose place it takes. Sets of different types can't change places: then the rules go first.
Result<void> IpsetEnforcer::replace_set(const IpsetSet& set, std::span<const IpsetEntry> entries,
                                        const CallClock& clock) {
  const std::string name = set.name();
  const std::string next = set.successor_name();
  if (auto done = sets_.destroy(next); !done) return done;
  if (auto done = sets_.create(set, next, entries.size()); !done) return done;
  if (auto done = sets_.add(set, next, entries, IpsetSocket::Counters::as_they_are, clock); !done) return done;
  if (auto done = sets_.swap(name, next); !done) {
    if (auto removed = iptables_.remove(); !removed) return removed;
    if (auto destroyed = sets_.destroy(name); !destroyed) return destroyed;
    if (auto made = sets_.create(set, name, entries.size()); !made) return made;
    if (auto swapped = sets_.swap(name, next); !swapped) return swapped;
  }
  listings_.erase(name);
  return sets_.destroy(next);
}

Result<ReconcileReport> IpsetEnforcer::reconcile(const Intended& intended, Extra extra, WallTime now) {
  allowed_ = intended.allowed;
  open_ = intended.open;
  const CallClock clock(now);
  ReconcileReport report;
  const auto missing = build_sets();
  if (!missing) return Failure(missing.error());
  EntriesBySet wanted = everything_intended(intended, now);
  std::vector<EntryDifference> differences(ipset_sets().size());
  for (const IpsetSet& set : ipset_sets()) {
    if (set.holds_bans() && !intended.bans) continue;
    auto difference = fill_set(set, wanted.list(set), set.holds_bans() ? extra : Extra::remove, clock, report);
    if (!difference) return Failure(difference.error());
    differences[index_of(set)] = std::move(*difference);
  }
  for (const IpsetSet& set : ipset_sets()) {
    const EntryDifference& from = differences[index_of(set)];
    if (auto done = sets_.remove(set, set.name(), from.extra); !done) return Failure(done.error());
    report.removed += from.extra.size();
    for (const IpsetSet& other : ipset_sets()) count_moves(set, from, other, differences[index_of(other)], report);
  }
  const auto rules = iptables_.ensure();
  if (!rules) return Failure(rules.error());
  rules_looked_at_ = Steady::now();
  report.rebuilt = *missing || *rules == Iptables::State::changed;
  return report;
}

// What is left to do is to remove what is extra.
Result<EntryDifference> IpsetEnforcer::fill_set(const IpsetSet& set, std::vector<IpsetEntry>& intended, Extra extra,
                                                const CallClock& clock, ReconcileReport& report) {
  const std::string name = set.name();
  std::vector<IpsetEntry> held;
  const auto exists = sets_.list(set, clock, [&](const IpsetEntry& entry) { held.push_back(entry); });
  if (!exists) return Failure(exists.error());
  sort_entries(held);
  sort_entries(intended);
  EntryDifference difference = compare_entries(intended, held, clock.now());
  if (extra == Extra::keep) difference.extra.clear();
  if (difference.fresh.size() > most_filled_in_place && extra == Extra::remove) {
    if (auto done = replace_set(set, intended, clock); !done) return Failure(done.error());
    report.rewritten += intended.size();
    return EntryDifference{};
  }
  if (auto done = sets_.add(set, name, difference.fresh, from_zero_in(set), clock); !done) return Failure(done.error());
  if (auto done = sets_.add(set, name, difference.refreshed, from_zero_in(set), clock); !done)
    return Failure(done.error());
  forget_counters(set, difference.refreshed);
  report.added += difference.fresh.size();
  report.refreshed += difference.refreshed.size();
  return difference;
}

Result<void> IpsetEnforcer::apply(std::span<const Change> changes, WallTime now) {
  const CallClock clock(now);
  auto done = apply_once(changes, clock);
  if (done || done.error().os != ENOENT) return done;
  // A set is missing: as after a start, all that surrounds the bans is built first.
  Intended surroundings;
  surroundings.allowed = allowed_;
  surroundings.open = open_;
  if (const auto built = reconcile(surroundings, Extra::keep, clock.now()); !built) return Failure(built.error());
  return apply_once(changes, clock);
}

Result<void> IpsetEnforcer::apply_once(std::span<const Change> changes, const CallClock& clock) {
  const WallTime now = clock.now();
  EntriesBySet standing;
  EntriesBySet gone;
  for (const Change* const change : last_changes(changes)) {
    const Decision& decision = change->decision;
    if (change->kind == ChangeKind::ended) continue;
    const bool stands = change->kind == ChangeKind::added || change->kind == ChangeKind::moved;
    const bool holds = stands && decision.until > now;
    for (const Scope scope : {Scope::full, Scope::quiet}) {
      EntriesBySet& entries = holds && scope == decision.scope ? standing : gone;
      entries.put(role_of(scope), decision.prefix, decision.until);
    }
  }
  for (const IpsetSet& set : ipset_sets()) {
    if (auto done = sets_.add(set, set.name(), standing.list(set), from_zero_in(set), clock); !done) return done;
    forget_counters(set, standing.list(set));
  }
  for (const IpsetSet& set : ipset_sets())
    if (auto done = sets_.remove(set, set.name(), gone.list(set)); !done) return done;
  return {};
}

Result<std::vector<Ban>> IpsetEnforcer::held(WallTime now) {
  const CallClock clock(now);
  std::vector<Ban> bans;
  for (const IpsetSet& set : ipset_sets()) {
    if (!set.holds_bans()) continue;
    const Scope scope = set.role == Role::full ? Scope::full : Scope::quiet;
    const auto listed =
        sets_.list(set, clock, [&](const IpsetEntry& entry) { bans.push_back({entry.prefix, scope, entry.until}); });
    if (!listed) return Failure(listed.error());
  }
  return bans;
}

Result<IpsetEnforcer::Listing*> IpsetEnforcer::fresh_listing(const IpsetSet& set) {
  const auto start = Steady::now();
  Listing& listing = listings_[set.name()];
  const auto oldest = std::min<Steady::duration>(listing.took * 20, most_listing_age);
  if (listing.took > Steady::duration{0} && start - listing.at < oldest) return &listing;
  listing.counters.clear();
  const auto listed = sets_.list(set, CallClock(WallTime{}), [&](const IpsetEntry& entry) {
    listing.counters.push_back({entry.prefix, entry.packets});
  });
  if (!listed) return Failure(listed.error());
  std::ranges::sort(listing.counters, {}, &CountedPackets::prefix);
  listing.at = Steady::now();
  listing.took = listing.at - start;
  return &listing;
}

// Entries that were written count from zero again.
void IpsetEnforcer::forget_counters(const IpsetSet& set, std::span<const IpsetEntry> entries) {
  const auto listing = listings_.find(set.name());
  if (listing == listings_.end()) return;
  auto& counters = listing->second.counters;
  for (const IpsetEntry& entry : entries) {
    const auto found = std::ranges::lower_bound(counters, entry.prefix, {}, &CountedPackets::prefix);
    if (found != counters.end() && found->prefix == entry.prefix) found->packets = 0;
  }
}

Result<std::vector<Hits>> IpsetEnforcer::hits(std::span<const Ban> bans) {
  std::vector<Hits> hits;
  for (const IpsetSet& set : ipset_sets()) {
    const auto in_set = [&](const Ban& ban) {
      return set.holds_bans() && set == IpsetSet::of(role_of(ban.scope), ban.prefix);
    };
    if (std::ranges::none_of(bans, in_set)) continue;
    const auto listing = fresh_listing(set);
    if (!listing) return Failure(listing.error());
    const auto& counters = (*listing)->counters;
    for (const Ban& ban : bans) {
      if (!in_set(ban)) continue;
      Hits hit{ban.prefix, 0};
      bool found = false;
      for (const Prefix& part : ipset_prefixes(ban.prefix)) {
        const auto at = std::ranges::lower_bound(counters, part, {}, &CountedPackets::prefix);
        if (at == counters.end() || at->prefix != part) continue;
        found = true;
        hit.packets += at->packets;
      }
      if (found) hits.push_back(hit);
    }
  }
  return hits;
}

Result<void> IpsetEnforcer::lift_everything(UnblocksEveryone) {
  if (auto done = iptables_.remove(); !done) return done;
  for (const IpsetSet& set : ipset_sets())
    for (const std::string& name : {set.name(), set.successor_name()})
      if (auto done = sets_.destroy(name); !done) return done;
  listings_.clear();
  return {};
}

Result<IpsetEnforcer::Damage> IpsetEnforcer::look(uint64_t bans) {
  const auto start = Steady::now();
  if (start < next_look_) return Damage::none;
  const auto heads = sets_.heads();
  if (!heads) return Failure(heads.error());
  // Counting a million entries takes the kernel its time: a hundredth of it all is spent on that.
  next_look_ = start + (Steady::now() - start) * 100;
  uint64_t held = 0;
  bool named = true;
  for (const IpsetSet& set : ipset_sets()) {
    const auto head = heads->find(set.name());
    if (head == heads->end()) return Damage::everything;
    named &= head->second.references > 0 || !iptables_.guards(set.v4 || set.holds_ports());
    if (set.holds_bans()) held += head->second.entries;
  }
  if (held < bans) return Damage::everything;
  if (!named) return Damage::structure;
  if (start - rules_looked_at_ < look_at_rules_every) return Damage::none;
  rules_looked_at_ = start;
  const auto rules = iptables_.look();
  if (!rules) return Failure(rules.error());
  return *rules == Iptables::State::changed ? Damage::structure : Damage::none;
}

}  // namespace palang
