#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"
#include "engine/rule_book.hpp"
#include "model/source.hpp"
#include "rules/rule_file.hpp"

namespace palang {

// The rules of a configuration, read and compiled.
struct LoadedRuleSet {
  RuleBook book;                            // those in use
  std::vector<f2b::Jail> jails;             // in use, or with a problem
  std::vector<RuleDefinition> definitions;  // all that were read; `enabled` says which are in use
  std::vector<std::string> faults;          // rules that were left out, and why; one line each
  std::vector<std::string> files;           // globs of the log files that rules in use name

  std::vector<std::string> jail_faults;  // the same for jails and their files
  std::vector<RuleSettings> settings;    // of those in use
  // "113 rules from /usr/share/palang/rules and /etc/palang/rules.d"
  std::string summary;
};

// When patterns are compiled: all at once, or those of a program when its first line comes (a replay may have none).
enum class Patterns : uint8_t { compiled, when_needed };

// Reads what [rules] names. A rule with a fault is left out; the others go on. Error: they can't be compiled at all.
[[nodiscard]] Result<LoadedRuleSet> load_rule_set(const Config& config, Patterns patterns = Patterns::compiled);

// Where the rules that come with palang lie: beside the binary's prefix, in its source tree, or in /usr/share.
[[nodiscard]] std::string shipped_rules();

// Which programs and units have rules, asked of each journal entry before its text.
class ServiceNames {
 public:
  ServiceNames() = default;
  explicit ServiceNames(const std::vector<RuleDefinition>& definitions);
  [[nodiscard]] bool wants(const LineOrigin& origin) const;
  [[nodiscard]] bool empty() const { return programs_.empty() && units_.empty(); }

 private:
  std::vector<std::string> programs_;  // sorted; may end with *
  std::vector<std::string> units_;
};

}  // namespace palang
