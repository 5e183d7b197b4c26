#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "decide/active_bans.hpp"
#include "decide/subjects.hpp"
#include "decide/widening.hpp"
#include "model/finding.hpp"
#include "model/settings.hpp"
#include "model/store.hpp"

namespace palang {

// Finding → Decision, and the life of a decision after that. Pure: time is an argument, changes are handed back.
class Decider {
 public:
  // Looks: whether somebody reads the kernel's counters of bans that are halfway or near their end. A replay doesn't.
  enum class Looks : uint8_t { none, kernel_counters };

  Decider(const BanSettings& settings, HashSeed seed, Looks looks);
  Decider(const Decider&) = delete;
  Decider& operator=(const Decider&) = delete;

  [[nodiscard]] const ActiveBans& active() const { return active_; }
  [[nodiscard]] ActiveBans& active() { return active_; }

  // Starts the memory accesses of deciding about a source that no ban stops (see SeededTable).
  void prefetch_index(const Address& source) const { widening_.prefetch_index(source); }
  void prefetch_entry(const Address& source) const { widening_.prefetch_entry(source); }

  // Whether the ban that an event of this address would cause now is over already (promise 9).
  [[nodiscard]] bool is_old_news(const Address& source, WallTime at, WallTime now, Rule rule = Rule::blocked) const;
  // How long a ban of this prefix would last if it were decided at `at`.
  [[nodiscard]] Duration length_for(const Prefix& subject, WallTime at) const;

  // Decides about an offender that no ban stops yet; returns the ban.
  ActiveBans::Slot decide(const Finding& finding, std::vector<Change>& changes);

  // A decision somebody else made (an admin); its prefix, scope, times, rule, origin and proof are taken as they are.
  Decision impose(Decision decision, std::string note, std::vector<Change>& changes);

  // Takes back the bans inside `prefix`, and says how many.
  size_t lift(const Prefix& prefix, WallTime now, std::vector<Change>& changes);
  size_t lift_all(WallTime now, std::vector<Change>& changes);

  // A packet of a banned source at `at`: quiet ends a ban, so its end moves. The kernel is told with the next look.
  void knock(ActiveBans::Slot ban, WallTime at, uint64_t packets = 1);
  // A look: the kernel's counter of this ban reads `packets` at `at`. What is new in it counts as a knock now, and the
  // kernel is told the new end at once.
  void look(ActiveBans::Slot ban, WallTime at, uint64_t packets, std::vector<Change>& changes);

  // Ends what is over at `now`; appends the bans whose kernel counters should be read to `looks`.
  void advance(WallTime now, std::vector<Change>& changes, std::vector<ActiveBans::Slot>& looks);

  void restore_past(std::span<const PastDecision> oldest_first);
  void restore_active(std::span<const Decision> active, WallTime now);

  // Other settings from now on; what is decided stays decided.
  void use(const BanSettings& settings);
  // What departs from them for the offenders of single rules.
  void use(std::span<const RuleSettings> rules);

  // The id that the next decision gets.
  void continue_after(uint64_t last_id) { last_id_ = std::max(last_id_, last_id); }
  [[nodiscard]] uint64_t evicted() const { return evicted_; }
  [[nodiscard]] uint64_t forgotten() const { return subjects_.evicted() + widening_.evicted(); }

 private:
  void remember(const Prefix& prefix, Rule rule, uint8_t repeat, WallTime from, WallTime until);
  // How long the bans of one rule are.
  struct Terms {
    Duration first;
    Duration at_most;
    Duration quiet;
  };
  [[nodiscard]] const RuleBan* own_ban_of(Rule rule) const;
  [[nodiscard]] Terms terms_of(Rule rule) const;
  [[nodiscard]] static Duration doubled(Duration base, uint8_t repeat, Duration at_most);
  // Gives the decision its id and puts it in force.
  void enter(ActiveBans::Slot slot, Decision& decision, std::string note, std::vector<Change>& changes);
  void absorb_inside(const Decision& wide, std::vector<Change>& changes);
  void keep_to_budget(WallTime now, std::vector<Change>& changes);
  void remove(ActiveBans::Slot slot, ChangeKind kind, WallTime at, std::vector<Change>& changes);
  void tell(ActiveBans::Slot slot, WallTime now, std::vector<Change>& changes);
  void schedule_next(ActiveBans::Slot slot, WallTime now);

  BanSettings settings_;
  std::vector<std::optional<RuleBan>> own_bans_;  // by the id of the rule, where it has its own
  Looks looks_;
  Subjects subjects_;
  ActiveBans active_;
  Widening widening_;
  uint64_t last_id_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace palang
