#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/line_reader.hpp"
#include "engine/simulation.hpp"

namespace palang {

// A source, prefix or port with how often it came up.
struct Ranked {
  std::string name;
  uint64_t events = 0;
};

// What one rule made of a log.
struct RuleTally {
  Rule rule = Rule::blocked;
  uint64_t events = 0;
  uint64_t sources = 0;  // distinct
  uint64_t bans = 0;     // decisions that rest on it, under the default policy
};

struct SurveyResult {
  uint64_t lines = 0;
  uint64_t events = 0;   // judged
  uint64_t sources = 0;  // distinct, of judged events
  LineCounts fates{};
  WallTime first;
  WallTime last;
  std::vector<SimulationResult> policies;
  std::vector<Ranked> top_ports;
  std::vector<Ranked> top_sources;
  std::vector<Ranked> top_prefixes;
  std::vector<RuleTally> rules;  // those that found anything, most events first; the firewall's lines are no rule's

  [[nodiscard]] double minutes() const;  // from the first event to the last; never 0
  [[nodiscard]] double per_minute_before() const { return static_cast<double>(events) / minutes(); }
  [[nodiscard]] double per_minute_after(const SimulationResult& policy) const;
  // Of all events but each source's first.
  [[nodiscard]] double stopped_percent_of_later(const SimulationResult& policy) const;
  [[nodiscard]] double addresses_per_attacker(const SimulationResult& policy) const;
};

// Runs several policies over one log in the same pass: parsed once, judged by each.
class Survey {
 public:
  static constexpr size_t most_policies = 4;

  struct Policy {
    std::string name;
    PolicySettings settings;
  };
  // At most `most_policies`. `booted` dates lines that count from the start of the machine (dmesg).
  Survey(const std::vector<Policy>& policies, WallTime booted, RuleBook book = {});

  void observe(const Source::Batch& batch);
  [[nodiscard]] SurveyResult finish();
  [[nodiscard]] uint64_t lines() const { return result_.lines; }

 private:
  // Events are taken in groups, so that the memory that judging them needs is on its way before it is needed.
  static constexpr size_t group = 128;

  struct SourceRecord {
    uint64_t events = 0;
    std::array<Judge::Hint, most_policies> hints;  // one for each simulation
  };

  void judge_group();
  void judge_group_by(Simulation& simulation, size_t index);
  void observe_by_rules(const RawLine& raw, LineFate& fate);
  void count_port(const Event& event);
  [[nodiscard]] std::vector<Ranked> top_ports() const;

  void take(const Event& event);
  [[nodiscard]] std::vector<RuleTally> tally() const;

  LineReader reader_;
  RuleBook book_;
  std::vector<Event> found_;                                               // by the rules, in the line at hand
  std::vector<uint64_t> rule_events_;                                      // by the id of the rule
  std::vector<std::unique_ptr<SeededTable<Address, bool>>> rule_sources_;  // likewise
  std::vector<std::unique_ptr<Simulation>> simulations_;
  SeededTable<Address, SourceRecord> sources_;
  std::array<std::vector<uint64_t>, 2> ports_;  // tcp, udp
  uint64_t icmp_ = 0;
  std::vector<Event> events_;
  std::vector<WallTime> times_;
  std::array<uint64_t, group> hashes_{};  // of the sources of events_
  std::array<SourceRecord*, group> records_{};
  std::array<size_t, group> passing_{};  // those of events_ that no ban seems to stop
  WallTime now_;
  SurveyResult result_;
};

}  // namespace palang
