#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/log_line.hpp"
#include "rules/pattern_set.hpp"
#include "rules/regex.hpp"
#include "rules/rule.hpp"

namespace palang {

// The conditions of some rules on requests, compiled together: what may match is found in one pass over each field,
// however many rules there are.
class RequestRules {
 public:
  // Adds a rule; its conditions must compile. It is known by `id` below.
  [[nodiscard]] Result<void> add(uint32_t id, const WhereSettings& where);
  // Once, after the last add().
  void finish();

  // Replaces `ids` with the rules whose conditions the request meets, in the order in which they were added.
  // `waf`: null where the line is no WAF's.
  void match(const HttpAccess& request, const WafHit* waf, ScanMemory& memory, Captures& captures,
             std::vector<uint32_t>& ids);
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  enum Field : uint8_t { path, query, agent, referer, host, user, line };
  static constexpr size_t fields = 7;

  struct Condition {
    uint32_t first = 0;  // in patterns_ of its field
    uint32_t last = 0;
  };

  struct Rule {
    uint32_t id = 0;
    bool any_status = true;
    bool wants_waf = false;
    std::bitset<600> status;
    std::vector<std::string> methods;
    uint16_t severities = 0;  // bits; 0: any
    std::vector<IdRange> rule_ids;
    std::optional<bool> blocked;
    std::array<Condition, fields> conditions;
  };

  [[nodiscard]] static bool meets(const Rule& rule, const HttpAccess& request, const WafHit* waf);
  [[nodiscard]] bool meets_patterns(const Rule& rule, Field field, const HttpAccess& request, ScanMemory& memory,
                                    Captures& captures);
  [[nodiscard]] std::string_view text_of(Field field, const HttpAccess& request);

  struct FieldPatterns {
    std::vector<Regex> regexes;
    std::vector<PatternSet::Pattern> texts;
    PatternSet set;
    bool scanned = false;  // of the present request
    std::string_view text;
    std::vector<uint32_t> candidates;
  };

  std::vector<Rule> rules_;
  std::array<FieldPatterns, fields> patterns_;
  std::string buffer_;
};

}  // namespace palang
