#pragma once

#include <string>

#include "model/rule_settings.hpp"

namespace palang {

// "5 attempts within 10m", "20 distinct paths of a network within 1m", "more than 100 attempts, less one each 100ms"
[[nodiscard]] std::string threshold_text(const RuleSettings& rule);

// "1d, at most 28d, full"; "" where the rule has nothing of its own.
[[nodiscard]] std::string ban_text(const RuleBan& ban);

}  // namespace palang
