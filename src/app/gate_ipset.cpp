#include "app/gate.hpp"
#include "base/log.hpp"

namespace palang {

// ipset tells nobody of changes.
void Gate::look_at_ipsets(WallTime now) {
  using Damage = IpsetEnforcer::Damage;
  tick(now);  // what has ended is not missed
  const auto damage = enforcer_->ipset()->look(judge_.decider().active().size());
  const std::string trouble = damage ? std::string() : damage.error().text;
  if (!trouble.empty() && trouble != ipset_trouble_) log_warning(trouble);
  ipset_trouble_ = trouble;
  if (!damage) return;
  const auto change = *damage == Damage::none        ? ForeignChange::none
                      : *damage == Damage::structure ? ForeignChange::structure
                                                     : ForeignChange::everything;
  on_foreign_change(change, "our ipsets or our chains of iptables", now);
}

}  // namespace palang
