#include "enforce/nft_plan.hpp"

#include <algorithm>
#include <iterator>

namespace palang {
namespace {

constexpr Duration equal_within = 1s;

bool key_less(const Element& a, const Element& b) {
  return a.key < b.key;
}

// Sorted, each key once with its latest end.
void sort_and_merge(std::vector<Element>& elements) {
  std::ranges::sort(
      elements, [](const Element& a, const Element& b) { return a.key != b.key ? a.key < b.key : a.until > b.until; });
  const auto repeated = std::ranges::unique(elements, {}, &Element::key);
  elements.erase(repeated.begin(), repeated.end());
}

bool same_end(WallTime a, WallTime b, WallTime now) {
  if (a == b) return true;
  if (a == WallTime::max() || b == WallTime::max()) return false;
  // Beyond the longest timeout the kernel's end falls short of the intended one, by more every day.
  if (std::min(a, b) - now > longest_timeout / 2) return true;
  return (a < b ? b - a : a - b) <= equal_within;
}

std::vector<Element>& elements_of(std::vector<IntendedSet>& sets, const SetName& name) {
  const auto found = std::ranges::find(sets, name, &IntendedSet::set);
  if (found != sets.end()) return found->elements;
  return sets.emplace_back(IntendedSet{name, {}}).elements;
}

SetPlan& plan_of(NftPlan& plan, const SetName& name) {
  const auto found = std::ranges::find_if(plan.sets, [&](const SetPlan& set) { return set.set.same_set(name); });
  if (found != plan.sets.end()) return *found;
  SetPlan& added = plan.sets.emplace_back();
  added.set = name;
  return added;
}

std::vector<Element> ports_of(const PortSet& ports) {
  std::vector<Element> elements;
  for (const uint16_t port : ports.list()) elements.push_back(Element::of_port(port));
  return elements;
}

void plan_ban(NftPlan& plan, const Decision& decision, const TableState& present) {
  const SetName name = SetName::of(role_of(decision.scope), decision.prefix);
  const SetName* const existing = present.find(name);
  SetPlan& set = plan_of(plan, existing != nullptr ? *existing : name);
  const Element element = Element::of(decision.prefix, decision.until);
  if (existing != nullptr) {
    set.written.push_back(element);
    return;
  }
  set.fresh.push_back(element);
  if (set.create) return;
  set.create = true;
  plan.write_rules = true;
  plan.in_force.push_back(name);
}

void plan_removal(NftPlan& plan, const Prefix& prefix, Role role, const TableState& present) {
  const SetName* const existing = present.find(SetName::of(role, prefix));
  if (existing != nullptr) plan_of(plan, *existing).removed.push_back(Element::of(prefix, {}));
}

}  // namespace

std::vector<const Change*> last_changes(std::span<const Change> changes) {
  std::vector<const Change*> last;
  last.reserve(changes.size());
  for (const Change& change : changes) last.push_back(&change);
  std::ranges::sort(last, [](const Change* a, const Change* b) {
    return a->decision.prefix != b->decision.prefix ? a->decision.prefix < b->decision.prefix : a < b;
  });
  const auto is_last = [&](size_t i) {
    return i + 1 == last.size() || last[i]->decision.prefix != last[i + 1]->decision.prefix;
  };
  size_t kept = 0;
  for (size_t i = 0; i < last.size(); ++i)
    if (is_last(i)) last[kept++] = last[i];
  last.resize(kept);
  return last;
}

std::vector<IntendedSet> sets_of_bans(std::span<const Ban> bans, WallTime now) {
  std::vector<IntendedSet> sets;
  for (const Ban& ban : bans) {
    if (ban.until <= now) continue;
    elements_of(sets, SetName::of(role_of(ban.scope), ban.prefix)).push_back(Element::of(ban.prefix, ban.until));
  }
  std::ranges::sort(sets, {}, &IntendedSet::set);  // by role first
  return sets;
}

std::vector<IntendedSet> standing_sets(std::span<const Allowed> allowed, const PublicPorts& open, WallTime now) {
  std::vector<IntendedSet> sets;
  for (const Allowed& entry : allowed) {
    if (entry.until <= now) continue;
    elements_of(sets, SetName::of(Role::allow, entry.prefix)).push_back(Element::of(entry.prefix, entry.until));
  }
  for (IntendedSet& set : sets) sort_and_merge(set.elements);
  sets.push_back({open_tcp_set, ports_of(open.tcp)});
  sets.push_back({open_udp_set, ports_of(open.udp)});
  return sets;
}

SetPlan plan_creation(IntendedSet intended) {
  SetPlan plan;
  plan.set = intended.set;
  plan.create = true;
  plan.fresh = std::move(intended.elements);
  return plan;
}

NftPlan plan_from_nothing(std::vector<IntendedSet> sets) {
  NftPlan plan;
  plan.write_rules = true;
  for (IntendedSet& intended : sets) {
    plan.in_force.push_back(intended.set);
    plan.sets.push_back(plan_creation(std::move(intended)));
  }
  return plan;
}

NftPlan plan_changes(std::span<const Change> changes, const TableState& present, WallTime now) {
  NftPlan plan;
  plan.in_force = present.sets;
  for (const Change* const change : last_changes(changes)) {
    const Decision& decision = change->decision;
    if (change->kind == ChangeKind::ended) continue;
    const bool stands = change->kind == ChangeKind::added || change->kind == ChangeKind::moved;
    if (stands && decision.until > now) {
      plan_ban(plan, decision, present);
      plan_removal(plan, decision.prefix, decision.scope == Scope::full ? Role::quiet : Role::full, present);
    } else {
      plan_removal(plan, decision.prefix, Role::full, present);
      plan_removal(plan, decision.prefix, Role::quiet, present);
    }
  }
  return plan;
}

SetPlan compare_set(const SetName& set, std::vector<Element> intended, std::span<const Element> held,
                    Enforcer::Extra extra, WallTime now) {
  sort_and_merge(intended);
  SetPlan plan;
  plan.set = set;
  auto have = held.begin();
  for (const Element& want : intended) {
    for (; have != held.end() && key_less(*have, want); ++have) plan.removed.push_back(*have);
    if (have == held.end() || have->key != want.key) {
      plan.fresh.push_back(want);
      continue;
    }
    if (!same_end(want.until, have->until, now)) plan.written.push_back(want);
    ++have;
  }
  plan.removed.insert(plan.removed.end(), have, held.end());
  if (extra == Enforcer::Extra::keep) plan.removed.clear();
  return plan;
}

void count_changes(const NftPlan& plan, ReconcileReport& report) {
  for (const SetPlan& set : plan.sets) {
    if (set.replaces) {
      report.rewritten += set.fresh.size();
      continue;
    }
    report.added += set.fresh.size();
    report.refreshed += set.written.size();
    report.removed += set.removed.size();
  }
  // A prefix that went from one scope to the other was neither added nor removed. Both lists are sorted by key.
  for (const SetPlan& from : plan.sets) {
    for (const SetPlan& to : plan.sets) {
      if (!from.set.holds_bans() || !to.set.holds_bans() || from.set.role == to.set.role) continue;
      if (from.set.v4 != to.set.v4 || from.set.length != to.set.length || to.replaces) continue;
      std::vector<Element> moved;
      std::ranges::set_intersection(from.removed, to.fresh, std::back_inserter(moved), key_less);
      report.added -= moved.size();
      report.removed -= moved.size();
      report.refreshed += moved.size();
    }
  }
}

}  // namespace palang
