#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"
#include "rules/pattern_set.hpp"
#include "rules/regex.hpp"
#include "rules/rule.hpp"

namespace palang {

// What a pattern took from a message.
struct Captured {
  Address source;
  std::string_view user;
  std::string_view target;
  uint16_t port = 0;
  std::string_view pattern;  // as it stands in the rule file
};

// Some rules' patterns on messages, compiled together.
class LineRules {
 public:
  // Adds a rule; its patterns must compile. It is known by `id` below.
  [[nodiscard]] Result<void> add(uint32_t id, const RuleDefinition& rule);
  // Once, after the last add().
  void finish();

  struct Match {
    uint32_t id = 0;
    bool ignored = false;  // an `ignore` pattern of the rule matches, too
    Captured captured;
  };

  // Replaces `matches` with the rules of which a pattern matches, at most one match for each, in the order in which the
  // rules were added.
  void match(std::string_view message, ScanMemory& memory, Captures& captures, std::vector<Match>& matches);
  [[nodiscard]] bool empty() const { return patterns_.empty(); }

 private:
  struct Pattern {
    Regex regex;
    uint32_t rule;  // in rules_
    uint32_t addr;
    uint32_t user;  // numbers of groups; 0: the pattern has none
    uint32_t path;
    uint32_t port;
    std::string text;
  };
  struct Rule {
    uint32_t id = 0;
    std::vector<Regex> ignore;
  };

  [[nodiscard]] static std::optional<Captured> capture(const Pattern& pattern, std::string_view message,
                                                       Captures& captures);

  std::vector<Rule> rules_;
  std::vector<Pattern> patterns_;
  std::vector<PatternSet::Pattern> texts_;
  PatternSet set_;
  std::vector<uint32_t> candidates_;
};

}  // namespace palang
