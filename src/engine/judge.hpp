#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "decide/decider.hpp"
#include "decide/exemptions.hpp"
#include "detect/detectors.hpp"
#include "detect/rule_detector.hpp"
#include "model/settings.hpp"
#include "model/store.hpp"

namespace palang {

// What became of an Event.
enum class Verdict : uint8_t {
  exempt,   // its source is allowed: neither banned nor counted
  old,      // older than the ban it would cause, or than a pardon
  stopped,  // its source is banned: a knock
  watched,  // counted, not enough for a finding
  decided,  // led to a decision
};
inline constexpr size_t verdicts = 5;

[[nodiscard]] std::string_view verdict_name(Verdict verdict);

// detect → decide under one policy, with all state that needs. The daemon and the replay run this same class.
// Deterministic: the same events, times and seed give the same decisions.
class Judge {
 public:
  Judge(const PolicySettings& policy, HashSeed seed, Decider::Looks looks);

  // What was found out about a source when it was last observed, and may save a search; for callers who keep
  // something about every source anyway.
  using Hint = ActiveBans::Hint;

  // Judges one event at `now` (the real clock, or the log's own). Appends what it decides to `changes`.
  Verdict observe(const Event& event, WallTime now, std::vector<Change>& changes);
  Verdict observe(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint);

  // Other settings from now on; the allowlist is the caller's to renew.
  void use(const PolicySettings& policy);
  // An admin took bans of this prefix back at `at`: what was logged before must not bring them back.
  void pardon(const Prefix& prefix, WallTime at);

  [[nodiscard]] Decider& decider() { return decider_; }
  [[nodiscard]] const Decider& decider() const { return decider_; }
  [[nodiscard]] Detectors& detectors() { return detectors_; }
  [[nodiscard]] const Detectors& detectors() const { return detectors_; }
  [[nodiscard]] RuleDetector& rules() { return rules_; }
  [[nodiscard]] const RuleDetector& rules() const { return rules_; }
  [[nodiscard]] Exemptions& exemptions() { return exemptions_; }
  [[nodiscard]] const Exemptions& exemptions() const { return exemptions_; }

  [[nodiscard]] uint64_t count(Verdict verdict) const { return counts_[static_cast<size_t>(verdict)]; }

 private:
  [[nodiscard]] bool is_old_news(const Event& event, WallTime now) const;
  Verdict judge(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint);
  Verdict judge_future(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint);
  // The same for a source that no ban stops.
  Verdict judge_unstopped(const Event& event, WallTime now, std::vector<Change>& changes, Hint& hint);
  // The same for what a pattern rule found, of a source that no ban stops.
  Verdict judge_by_rules(const Event& event, WallTime now, std::vector<Change>& changes);
  // Nothing stands against banning the offender: an allowance, or a ban that stops it already.
  [[nodiscard]] bool may_ban(const Finding& finding, WallTime now) const;

  Exemptions exemptions_;
  Detectors detectors_;
  RuleDetector rules_;
  Decider decider_;
  PrefixMap<WallTime> pardoned_;
  std::array<uint64_t, verdicts> counts_{};
  std::vector<Finding> findings_;
};

}  // namespace palang
