#pragma once

#include <string>
#include <vector>

#include "rules/rule_file.hpp"
#include "rules/rule_set.hpp"

namespace palang {

// The rules of one file, shipped.
inline LoadedRules rules_of(std::string text) {
  const std::vector<RuleText> files{{"test.toml", std::move(text)}};
  return read_rules(files, {});
}

// What a set finds in a message of a program, or in a line of a file.
inline std::vector<Event> events_of(RuleSet& set, std::string_view program, std::string_view message,
                                    const LineOrigin& origin = {}, LineFormat format = LineFormat::syslog) {
  LogEntry entry;
  entry.whole = message;
  entry.format = format;
  entry.line = {WallTime{}, program, message, false};
  std::vector<Event> events;
  set.match(entry, origin, events);
  return events;
}

}  // namespace palang
