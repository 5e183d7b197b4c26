#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.hpp"
#include "model/log_line.hpp"
#include "model/source.hpp"
#include "rules/rule.hpp"

namespace palang {

// What one rule made of one line, for `palang explain`.
struct RuleTrial {
  const RuleDefinition* rule = nullptr;
  bool matched = false;
  bool ignored = false;      // matched, but one of its `ignore` patterns did, too
  std::string_view pattern;  // the one that matched
  std::optional<Address> source;
  std::string_view user;
  std::string_view target;
};

// All enabled rules, compiled together. A line is only offered to the rules of its program, unit or file.
// Used by one thread; after compilation the same line gives the same events.
class RuleSet {
 public:
  RuleSet();
  ~RuleSet();
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;

  // Definitions that are not enabled are left out. The error names the rule whose pattern can't be compiled.
  [[nodiscard]] static Result<RuleSet> compile(std::span<const RuleDefinition> definitions);
  // The same for definitions that read_rules() has found sound, at no cost: the patterns of a program or file are
  // compiled when its first line comes. For a short life that may see no such line.
  [[nodiscard]] static RuleSet when_needed(std::span<const RuleDefinition> definitions);

  // Whether rules want the lines of this file read in this format. Remembers the file it was asked about last.
  [[nodiscard]] bool wants_file(std::string_view file, LineFormat format);
  // Whether rules want the messages of this program read in this format (not syslog, which is always so).
  [[nodiscard]] bool wants_program(std::string_view program, LineFormat format);

  // Appends what the rules find in the line; views in the events are as long-lived as those of the entry.
  void match(const LogEntry& entry, const LineOrigin& origin, std::vector<Event>& events);
  // All rules that the line is offered to, and what they made of it.
  [[nodiscard]] std::vector<RuleTrial> explain(const LogEntry& entry, const LineOrigin& origin);

  [[nodiscard]] std::vector<RuleSettings> settings() const;
  // Searches that were given up because a line made a pattern backtrack without end.
  [[nodiscard]] uint64_t given_up() const;
  [[nodiscard]] size_t size() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace palang
