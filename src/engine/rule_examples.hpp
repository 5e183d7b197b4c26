#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "engine/line_reader.hpp"
#include "engine/rule_book.hpp"

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
  [[nodiscard]] uint64_t given_up() const { return book_.given_up(); }

 private:
  explicit ExampleReader(RuleSet rules) { book_.rules = std::move(rules); }
  const std::vector<Event>& read(std::string_view text, Framing framing);

  RuleBook book_;
  LineReader reader_{WallTime{}};
  LineOrigin origin_;
  std::vector<Event> events_;
};

// Valid as long as the definitions.
struct ExampleFailure {
  const RuleDefinition* rule = nullptr;
  const RuleExample* example = nullptr;
  std::string fault;                        // "blames 192.0.2.1, not 192.0.2.2"; printable
  [[nodiscard]] std::string place() const;  // "/usr/share/palang/rules/openssh.toml:23"
};

struct ExampleReport {
  size_t examples = 0;
  std::vector<ExampleFailure> failures;
};

// Runs the examples of the rules of these names (of all, if there are none) through what the daemon reads and matches
// with.
[[nodiscard]] Result<ExampleReport> check_examples(std::span<const RuleDefinition> definitions,
                                                   std::span<const std::string> names = {});

}  // namespace palang
