#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "engine/line_reader.hpp"
#include "rules/rule_set.hpp"

namespace palang {

// What all rules find in lines that stand by themselves: the examples of rule files, each read as if it were the first
// line of its log.
class ExampleReader {
 public:
  // Rules that are not enabled take part, too.
  [[nodiscard]] static Result<ExampleReader> compile(std::span<const RuleDefinition> definitions);

  // Valid until the next call. `file` may be "": then the line has a syslog header.
  [[nodiscard]] const std::vector<Event>& read(std::string_view line, std::string_view file);
  // A message as the journal has it, without header.
  [[nodiscard]] const std::vector<Event>& read_message(std::string_view message, std::string_view program);
  // Searches that were given up because they took too long.
  [[nodiscard]] uint64_t given_up() const { return rules_.given_up(); }

 private:
  explicit ExampleReader(RuleSet rules) : rules_(std::move(rules)) {}
  const std::vector<Event>& read(std::string_view text, Framing framing);

  RuleSet rules_;
  LineReader reader_{WallTime{}};
  LineOrigin origin_;
  std::vector<Event> events_;
};

struct ExampleReport {
  size_t rules = 0;
  size_t examples = 0;
  std::vector<std::string> failures;  // "sshd.toml:12: sshd-login: finds 192.0.2.1 instead of 192.0.2.2 in: …"
};

// Runs the examples of all rules through the readers and matchers that the daemon uses.
[[nodiscard]] Result<ExampleReport> check_examples(std::span<const RuleDefinition> definitions);

}  // namespace palang
