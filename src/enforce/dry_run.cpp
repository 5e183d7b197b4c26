#include "enforce/dry_run.hpp"

namespace palang {

void DryRun::forget(const Prefix& prefix) {
  const auto slot = bans_.find(prefix);
  if (slot != bans_.none) bans_.erase(slot);
}

void DryRun::forget_ended(WallTime now) {
  for (uint32_t slot = 0; slot < bans_.slots(); ++slot)
    if (bans_.used(slot) && bans_.value(slot).until <= now) bans_.erase(slot);
}

void DryRun::hold(const Ban& ban, ReconcileReport& report) {
  const auto [slot, is_new] = bans_.find_or_insert(ban.prefix);
  Held& held = bans_.value(slot);
  if (is_new)
    ++report.added;
  else if (held.scope != ban.scope || held.until != ban.until)
    ++report.refreshed;
  held = {ban.scope, ban.until, true};
}

Result<void> DryRun::apply(std::span<const Change> changes, WallTime now) {
  built_ = true;
  ReconcileReport ignored;
  for (const Change& change : changes) {
    const Decision& decision = change.decision;
    const bool stands = change.kind == ChangeKind::added || change.kind == ChangeKind::moved;
    if (stands && decision.until > now)
      hold({decision.prefix, decision.scope, decision.until}, ignored);
    else
      forget(decision.prefix);
  }
  return {};
}

Result<ReconcileReport> DryRun::reconcile(const Intended& intended, Extra extra, WallTime now) {
  ReconcileReport report;
  report.rebuilt = !built_;
  built_ = true;
  forget_ended(now);
  if (!intended.bans) return report;
  for (uint32_t slot = 0; slot < bans_.slots(); ++slot)
    if (bans_.used(slot)) bans_.value(slot).intended = false;
  for (const Ban& ban : *intended.bans)
    if (ban.until > now) hold(ban, report);
  if (extra == Extra::keep) return report;
  for (uint32_t slot = 0; slot < bans_.slots(); ++slot) {
    if (!bans_.used(slot) || bans_.value(slot).intended) continue;
    bans_.erase(slot);
    ++report.removed;
  }
  return report;
}

Result<std::vector<Ban>> DryRun::held(WallTime now) {
  forget_ended(now);
  std::vector<Ban> bans;
  bans_.for_each([&](const Prefix& prefix, const Held& held) { bans.push_back({prefix, held.scope, held.until}); });
  return bans;
}

Result<std::vector<Hits>> DryRun::hits(std::span<const Ban> bans) {
  std::vector<Hits> hits;
  for (const Ban& ban : bans) {
    const Held* const held = bans_.get(ban.prefix);
    if (held != nullptr && held->scope == ban.scope) hits.push_back({ban.prefix, 0});
  }
  return hits;
}

Result<void> DryRun::lift_everything(UnblocksEveryone) {
  bans_.clear();
  built_ = false;
  return {};
}

}  // namespace palang
