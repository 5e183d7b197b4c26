#pragma once

#include <bitset>
#include <string>
#include <vector>

#include "engine/judge.hpp"

namespace palang {

// What one policy would have made of a log.
struct SimulationResult {
  std::string name;
  uint64_t stopped = 0;  // events whose source was banned at that moment
  double list_mean = 0;  // active decisions, averaged over the time from the first event to the last
  uint64_t list_peak = 0;
  double covered = 0;  // addresses ever covered by a decision; an IPv6 /64 and all narrower count as one
};

// Runs one policy over events by the log's own clock, and keeps the books that the report needs.
class Simulation {
 public:
  Simulation(std::string name, const PolicySettings& policy, HashSeed seed);

  // Nothing is detected, so nothing needs to be observed.
  [[nodiscard]] bool is_idle() const { return idle_; }
  // Events in the order of the log; `now` never runs backwards.
  void observe(const Event& event, WallTime now, Judge::Hint& hint);
  // These start the memory accesses of an observe() of this source to come, one after the other: what tells whether it
  // is stopped; and, if it seems not to be, what deciding about it takes.
  void prefetch_ban(const Address& source, const Judge::Hint& hint) const {
    judge_.decider().active().prefetch(source, hint);
  }
  [[nodiscard]] bool may_stop(const Judge::Hint& hint) const { return judge_.decider().active().may_stop(hint); }
  void prefetch_decision(const Address& source, const Judge::Hint& hint) const;
  void prefetch_network(const Address& source, const Judge::Hint& hint) const;
  [[nodiscard]] SimulationResult finish(WallTime last);
  [[nodiscard]] const std::string& name() const { return name_; }
  // Decisions so far, by the id of the rule they rest on.
  [[nodiscard]] const std::vector<uint64_t>& bans_by_rule() const { return bans_by_rule_; }

 private:
  // Which addresses were ever covered: a bit each for the 256 of an IPv4 /24, one unit for an IPv6 /64.
  class Coverage {
   public:
    explicit Coverage(HashSeed seed) : networks_(seed), sites_(seed) {}
    void add(const Prefix& prefix);
    void prefetch_index(const Address& source) const {
      if (source.is_v4()) networks_.prefetch_index(Prefix::of_length(source, 24));
    }
    void prefetch_entry(const Address& source) const {
      if (source.is_v4()) networks_.prefetch_entry(Prefix::of_length(source, 24));
    }
    [[nodiscard]] double total() const;

   private:
    struct Nothing {};
    void add_in_network(const Prefix& prefix);

    SeededTable<Prefix, std::bitset<256>> networks_;
    PrefixMap<Nothing> sites_;
    uint64_t v4_addresses_ = 0;
  };

  void account(const Change& change);
  void pass_time(WallTime now);

  std::string name_;
  bool idle_;
  Judge judge_;
  Coverage coverage_;
  std::vector<Change> changes_;
  std::vector<ActiveBans::Slot> looks_;
  WallTime accounted_{};  // the books are closed up to here
  bool begun_ = false;
  uint64_t active_ = 0;
  SimulationResult result_;
  std::vector<uint64_t> bans_by_rule_;
  double active_time_ = 0;  // decisions × microseconds
  WallTime first_{};
};

}  // namespace palang
