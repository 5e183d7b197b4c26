#include "app/ledger_opening.hpp"

namespace palang {

Result<OpenedLedger> open_ledger_of(const Config& config, Enforcement& enforcement, WallTime now) {
  LedgerLimits limits;
  limits.keep = config.ledger.keep;
  const auto moved_to = enforcement.ends_moved_by_knocks(now);
  LedgerBatch moved;
  const auto end_in_force = [&](const Decision& decision) {
    const auto end = moved_to(decision);
    if (!end) return decision.until;
    Change& change = moved.changes.emplace_back(Change{ChangeKind::moved, decision, now, {}});
    change.decision.until = *end;
    return *end;
  };
  auto opened = open_ledger(config.ledger.path, now, config.policy.ban.remember, limits, end_in_force);
  if (opened && !moved.changes.empty()) opened->ledger->commit(std::move(moved));
  return opened;
}

}  // namespace palang
