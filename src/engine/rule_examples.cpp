#include "engine/rule_examples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace palang {
namespace {

// When the examples are read: later than all of them, as yearless dates need a bound.
constexpr WallTime read_at = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

const Event* event_of(std::span<const Event> events, Rule rule) {
  const auto found = std::ranges::find(events, rule, &Event::rule);
  return found == events.end() ? nullptr : &*found;
}

// What is wrong with the event that the example's rule made of its line, or "".
std::string fault_of(const RuleExample& example, const Event* event) {
  if (!example.match) return event == nullptr ? "" : "matches and must not";
  if (event == nullptr) return "doesn't match";
  const auto wanted = Address::parse(example.addr);
  if (!wanted || event->source != *wanted)
    return fmt::format("blames {}, not {}", event->source.text(), escape_controls(example.addr));
  if (example.user && event->user != *example.user)
    return fmt::format("names the account '{}', not '{}'", escape_controls(event->user),
                       escape_controls(*example.user));
  if (example.path && event->target != *example.path)
    return fmt::format("names the path '{}', not '{}'", escape_controls(event->target), escape_controls(*example.path));
  return "";
}

}  // namespace

Result<ExampleReader> ExampleReader::compile(std::span<const RuleDefinition> definitions) {
  std::vector<RuleDefinition> all(definitions.begin(), definitions.end());
  for (RuleDefinition& definition : all) definition.enabled = true;
  auto rules = RuleSet::compile(all);
  if (!rules) return std::unexpected(rules.error());
  return ExampleReader(std::move(*rules));
}

const std::vector<Event>& ExampleReader::read(std::string_view line, std::string_view file) {
  origin_ = LineOrigin{};
  origin_.file = file;
  return read(line, Framing::syslog);
}

const std::vector<Event>& ExampleReader::read_message(std::string_view message, std::string_view program) {
  origin_ = LineOrigin{};
  origin_.identifier = program;
  return read(message, Framing::message);
}

const std::vector<Event>& ExampleReader::read(std::string_view text, Framing framing) {
  events_.clear();
  reader_ = LineReader{WallTime{}};  // what was read before must not date this line
  const RawLine raw{text, framing, read_at, &origin_};
  const LineFate fate = reader_.parse(raw).fate;
  reader_.by_rules(raw, fate, book_, events_);
  return events_;
}

std::string ExampleFailure::place() const {
  return fmt::format("{}:{}", rule->source, example->at_line);
}

Result<ExampleReport> check_examples(std::span<const RuleDefinition> definitions, std::span<const std::string> names) {
  auto reader = ExampleReader::compile(definitions);
  if (!reader) return std::unexpected(reader.error());
  ExampleReport report;
  for (const RuleDefinition& definition : definitions) {
    const std::string& name = definition.settings.name;
    if (!names.empty() && std::ranges::find(names, name) == names.end()) continue;
    const Rule rule = rule_named(name);
    for (const RuleExample& example : definition.examples) {
      ++report.examples;
      std::string fault = fault_of(example, event_of(reader->read(example.line, example.file), rule));
      if (!fault.empty()) report.failures.push_back({&definition, &example, std::move(fault)});
    }
  }
  return report;
}

}  // namespace palang
