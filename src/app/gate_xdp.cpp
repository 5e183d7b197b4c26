#include <algorithm>

#include "app/gate.hpp"

// The Gate's dealings with bans that XDP made by itself.
namespace palang {

// XDP bans at once; where its source is exempt, or a wider ban was decided, its own ban goes again.
void Gate::remove_unclaimed(std::span<const Prefix> prefixes, WallTime now) {
  std::vector<Change> changes;
  for (const Prefix& prefix : prefixes) {
    Change& change = changes.emplace_back();
    change.kind = ChangeKind::lifted;
    change.decision.prefix = prefix;
    change.at = now;
  }
  enforce(changes, now);
}

void Gate::adopt_fresh_bans(Duration older_than, WallTime now) {
  const auto fresh = enforcer_->fresh(now);
  if (!fresh) return kernel_failed(fresh.error(), now);
  if (fresh->empty()) return;
  Source::Batch batch;
  for (const Ban& ban : *fresh) {
    Event event;
    event.at = std::min(now, ban.until - config_->policy.ban.first);
    event.source = ban.prefix.address();
    event.counted = config_->policy.detect.tripwire.after;
    if (event.at + older_than <= now) batch.events.push_back(event);
  }
  if (batch.events.empty()) return;
  LineReader unused{now};
  judge_batch(unused, batch, {"xdp", ""}, now);
}

}  // namespace palang
