#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.hpp"
#include "detect/rule_detector.hpp"
#include "model/command.hpp"

namespace palang {

// How far a source is from a rule's threshold.
struct Distance {
  uint32_t here = 0;  // counted in the lines that are explained, within the rule's time
  uint32_t enough = 0;
  bool reached = false;            // by this line
  std::optional<uint32_t> daemon;  // what the running daemon has counted
};

// Counts what explained lines show, as the daemon would, and asks the daemon what it has counted before.
class ExplainCounts {
 public:
  ExplainCounts(const PolicySettings& policy, const std::string& socket);

  // The events of one line; then distance_of() is about their time.
  void count(const std::vector<Event>& events);
  [[nodiscard]] Distance distance_of(const Address& source, Rule rule);

 private:
  [[nodiscard]] std::optional<uint32_t> daemons_count(const Address& source, Rule rule);

  RuleDetector detector_;
  std::map<Rule, RuleSettings> settings_;
  std::vector<Finding> findings_;  // of the last line
  WallTime now_;
  ApiClient client_;
  bool unreachable_ = false;
  std::map<Address, ProgressReply> replies_;  // of the lines of one command, which its user chose
};

}  // namespace palang
