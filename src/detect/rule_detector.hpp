#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "detect/rule_counts.hpp"
#include "model/command.hpp"
#include "model/event.hpp"
#include "model/finding.hpp"
#include "model/settings.hpp"
#include "model/store.hpp"

namespace palang {

// Counts what pattern rules find: events, distinct accounts, ports or paths within a window, or a leaky bucket, per
// address or network; and sources per account (distributed attacks). Windows are exact, (at - within, at], by the
// times of the events. All rules share two bounded tables.
class RuleDetector {
 public:
  RuleDetector(const PolicySettings& policy, HashSeed seed);

  // Appends what is found: one finding, or one for each source of a distributed attack, which need not be the event's.
  // What led to a finding is used up.
  void observe(const Event& event, std::vector<Finding>& findings);
  // A decision was made because of `cause`: it counts for the rules that count bans. Forgeable ones don't, since
  // those rules ban longer.
  void observe_ban(const Finding& cause, std::vector<Finding>& findings);

  // What was counted of an address is used up once it is banned; of a prefix, once an admin forgave it.
  void forget(const Address& address);
  void forget_within(const Prefix& prefix);

  // Other rules and thresholds from now on. What rules that stay have counted stays counted.
  void use(const PolicySettings& policy);

  // From now on it is noted whose counts change; take_pending() hands out their present state, once.
  void keep_pending() { keeps_pending_ = true; }
  void take_pending(std::vector<Pending>& into);
  void restore(std::span<const Pending> pending, WallTime now);

  // A rule whose counts are over within a minute: not worth writing them, or the lines that led to them, to disk.
  [[nodiscard]] bool is_brief(Rule rule) const;
  // How far `address` and its network are from each threshold, where anything is counted.
  [[nodiscard]] std::vector<Progress> progress_of(const Address& address, WallTime now) const;

  [[nodiscard]] size_t tracked() const { return counts_.size() + accounts_.size(); }
  [[nodiscard]] uint64_t evicted() const { return counts_.evicted() + accounts_.evicted(); }

 private:
  struct Sighting {
    WallTime at;
    uint64_t value = 0;  // as in Pending
  };
  struct AccountSource {
    WallTime at;
    Address source;
  };
  struct Loaded {
    RuleSettings settings;
    Rule rule = Rule::recovered;
    Rule distributed = Rule::recovered;  // the name under which its distributed attacks are found
  };
  using Sightings = std::vector<Sighting>;

  [[nodiscard]] const Loaded* find(Rule rule) const;
  // The rule whose distributed attacks are found under this name.
  [[nodiscard]] const Loaded* find_distributed(Rule rule) const;
  [[nodiscard]] Prefix subject_of(const RuleSettings& rule, const Address& source) const;
  void note_account(const Loaded& rule, const Event& event, std::vector<Finding>& findings);
  void touch(const RuleSettings& rule, const RuleSubject& key);

  std::vector<Loaded> rules_;
  std::vector<uint16_t> index_;  // by the id of a rule: its place in rules_, plus 1
  WidenSettings widths_;
  BoundedLists<RuleSubject, Sighting> counts_;
  BoundedLists<RuleAccount, AccountSource> accounts_;
  bool keeps_pending_ = false;
  std::vector<RuleSubject> touched_;
};

}  // namespace palang
