#include "engine/line_reader.hpp"

#include <algorithm>
#include <span>

#include "parse/repeated_message.hpp"

namespace palang {
namespace {

const LineOrigin unknown_origin;

void mark_echoes(std::span<Event> events) {
  for (size_t i = 1; i < events.size(); ++i)
    events[i].echo = std::ranges::any_of(events.first(i), [&](const Event& other) {
      return other.source == events[i].source && other.bits == events[i].bits;
    });
}

}  // namespace

template <typename Use>
bool LineReader::for_each_reading(const RawLine& raw, LineFate fate, RuleSet& rules, Use&& use) {
  constexpr std::array others{LineFormat::plain, LineFormat::access, LineFormat::error, LineFormat::modsec_json};
  const std::string_view file = raw.origin == nullptr ? std::string_view{} : raw.origin->file;
  const bool has_header = fate == LineFate::not_ours;
  if (has_header && parser_.line().from_kernel) return false;
  LogEntry entry;
  entry.whole = raw.text;
  LogLine line = parser_.line();
  times_ = has_header ? unroll(line.message) : 1;
  const bool by_program = has_header && (reads_ != Reads::file || rules.wants_file(file, LineFormat::syslog));
  if (by_program) {
    entry.line = line;
    use(entry);
  }
  bool read = by_program;
  for (const LineFormat format : others) {
    EntryReader& reader = readers_[static_cast<size_t>(format)];
    if (by_program && rules.wants_program(line.program, format)) {
      entry.line = line;
      if (reader.read(line.message, format, line.at, entry)) use(entry);
    } else if (rules.wants_file(file, format)) {
      entry.line = {};
      read = true;
      if (reader.read(raw.text, format, raw.at, entry)) use(entry);
    }
  }
  return read;
}

LineFate LineReader::by_rules(const RawLine& raw, LineFate fate, RuleBook& book, std::vector<Event>& events) {
  if (book.size() == 0) return fate;
  const LineOrigin& origin = raw.origin == nullptr ? unknown_origin : *raw.origin;
  const size_t before = events.size();
  const auto match = [&](const LogEntry& entry) { book.rules.match(entry, origin, events); };
  const bool by_rules = book.rules.size() > 0 && for_each_reading(raw, fate, book.rules, match);
  for (size_t i = before; i < events.size(); ++i) events[i].attempts = times_;
  const bool by_jails = book.jails.match(raw, events);
  mark_echoes(std::span(events).subspan(before));
  if (!by_rules && !by_jails) return fate;
  return events.size() > before ? LineFate::matched : LineFate::unmatched;
}

std::vector<RuleTrial> LineReader::explain(const RawLine& raw, RuleSet& rules) {
  const LineOrigin& origin = raw.origin == nullptr ? unknown_origin : *raw.origin;
  const LineFate fate = parser_.parse(raw).fate;
  std::vector<RuleTrial> all;
  for_each_reading(raw, fate, rules, [&](const LogEntry& entry) {
    for (const RuleTrial& trial : rules.explain(entry, origin)) all.push_back(trial);
  });
  return all;
}

}  // namespace palang
