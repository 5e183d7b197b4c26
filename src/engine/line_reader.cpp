#include "engine/line_reader.hpp"

namespace palang {
namespace {

const LineOrigin unknown_origin;

}  // namespace

template <typename Use>
bool LineReader::for_each_reading(const RawLine& raw, LineFate fate, RuleSet& rules, Use&& use) {
  if (fate == LineFate::not_ours && !parser_.line().from_kernel) {
    LogEntry entry;
    entry.whole = raw.text;
    entry.line = parser_.line();
    use(entry);
    return true;
  }
  (void)rules;
  return false;
}

LineFate LineReader::by_rules(const RawLine& raw, LineFate fate, RuleSet& rules, std::vector<Event>& events) {
  if (rules.size() == 0) return fate;
  const LineOrigin& origin = raw.origin == nullptr ? unknown_origin : *raw.origin;
  const size_t before = events.size();
  if (!for_each_reading(raw, fate, rules, [&](const LogEntry& entry) { rules.match(entry, origin, events); }))
    return fate;
  return events.size() > before ? LineFate::matched : LineFate::unmatched;
}

std::vector<RuleTrial> LineReader::explain(const RawLine& raw, RuleSet& rules) {
  const LineOrigin& origin = raw.origin == nullptr ? unknown_origin : *raw.origin;
  const LineFate fate = parser_.parse(raw).fate;
  std::vector<RuleTrial> all;
  for_each_reading(raw, fate, rules, [&](const LogEntry& entry) {
    for (RuleTrial& trial : rules.explain(entry, origin)) all.push_back(trial);
  });
  return all;
}

}  // namespace palang
