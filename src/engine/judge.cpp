#include "engine/judge.hpp"

#include <algorithm>

namespace palang {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::exempt: return "exempt";
    case Verdict::old: return "old";
    case Verdict::stopped: return "stopped";
    case Verdict::watched: return "watched";
    case Verdict::decided: return "decided";
  }
  return "?";
}

namespace {

std::optional<Finding> tripped_by(const Event& event) {
  return Finding{event.at, event.source, 128, Rule::tripwire, event.proof, event.protocol, event.port, event.counted};
}

}  // namespace

Judge::Judge(const PolicySettings& policy, HashSeed seed, Decider::Looks looks)
    : exemptions_(seed),
      detectors_(policy.detect, seed),
      rules_(policy, seed),
      decider_(policy.ban, seed, looks),
      pardoned_(seed) {
  decider_.use(policy.rules);
  for (const Prefix& prefix : policy.allow) exemptions_.allow(prefix, WallTime::max());
}

Verdict Judge::observe(const Event& event, WallTime now, std::vector<Change>& changes) {
  Hint unused;
  return observe(event, now, changes, unused);
}

Verdict Judge::observe(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint) {
  const Verdict verdict = event.at <= now ? judge(event, now, changes, hint) : judge_future(event, now, changes, hint);
  if (!event.echo || verdict == Verdict::decided) ++counts_[static_cast<size_t>(verdict)];
  return verdict;
}

// A log whose clock runs ahead can't ban into the future.
Verdict Judge::judge_future(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint) {
  Event present = event;
  present.at = now;
  return judge(present, now, changes, hint);
}

void Judge::use(const PolicySettings& policy) {
  detectors_.use(policy.detect);
  rules_.use(policy);
  decider_.use(policy.ban);
  decider_.use(policy.rules);
}

void Judge::pardon(const Prefix& prefix, WallTime at) {
  constexpr size_t most_pardons = 10'000;
  if (pardoned_.size() >= most_pardons) pardoned_.clear();  // old ones are long behind every reader
  WallTime& until = pardoned_.value(pardoned_.find_or_insert(prefix).first);
  until = std::max(until, at);
  rules_.forget_within(prefix);
}

bool Judge::is_old_news(const Event& event, WallTime now) const {
  const auto pardon = [&](WallTime at) { return at >= event.at; };
  if (!pardoned_.empty() && pardoned_.find_covering(Prefix::of(event.source), pardon) != PrefixMap<WallTime>::none)
    return true;
  return decider_.is_old_news(event.source, event.at, now, event.rule);
}

Verdict Judge::judge(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint) {
  if (exemptions_.exempts(event.source, now)) return Verdict::exempt;

  const auto ban = decider_.active().covering(event.source, now, hint);
  if (ban != ActiveBans::none) {
    const bool proves_more = event.proof != Proof::forgeable && decider_.active().ban(ban).scope == Scope::quiet;
    if (!proves_more) {
      if (!event.echo) decider_.knock(ban, event.at);  // else the line that led to the ban would prolong it
      return Verdict::stopped;
    }
  }
  return judge_unstopped(event, now, changes, hint);
}

Verdict Judge::judge_unstopped(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint) {
  if (is_old_news(event, now)) return Verdict::old;
  if (event.rule != Rule::blocked) return judge_by_rules(event, now, changes);

  const auto finding = event.counted > 0 ? tripped_by(event) : detectors_.observe(event);
  if (!finding) return Verdict::watched;
  detectors_.forget(event.source);
  const auto decided = decider_.decide(*finding, changes);
  (decider_.active().prefix(decided).is_single() ? hint.single : hint.wider) = decided;
  return Verdict::decided;
}

bool Judge::may_ban(const Finding& finding, WallTime now) const {
  const Prefix subject = Prefix::around(finding.offender, finding.bits);
  if (exemptions_.exempts(subject, now)) return false;
  const auto ban = decider_.active().covering(finding.offender, now);
  if (ban == ActiveBans::none || !decider_.active().prefix(ban).contains(subject)) return true;
  return finding.proof != Proof::forgeable && decider_.active().ban(ban).scope == Scope::quiet;
}

Verdict Judge::judge_by_rules(const Event& event, WallTime now, std::vector<Change>& changes) {
  findings_.clear();
  rules_.observe(event, findings_);
  bool decided = false;
  for (size_t i = 0; i < findings_.size(); ++i) {  // rules that count bans may add to them
    const Finding finding = findings_[i];
    const bool recidive = i > 0 && finding.offender == findings_[i - 1].offender;
    if (!recidive && !may_ban(finding, now)) continue;
    detectors_.forget(finding.offender);
    rules_.forget(finding.offender);
    decider_.decide(finding, changes);
    decided = true;
    rules_.observe_ban(finding, findings_);
  }
  return decided ? Verdict::decided : Verdict::watched;
}

}  // namespace palang
