#pragma once

#include <array>
#include <vector>

#include "engine/rule_book.hpp"
#include "parse/entry_reader.hpp"
#include "parse/line_parser.hpp"

namespace palang {

// parse → rules: what one line tells. Lines of the firewall have their own parser; all others are offered to the rules,
// in each format in which rules want the lines of their file or program. The daemon and the replay read lines with this
// same class; one for each source, as lines are read in the light of those before.
class LineReader {
 public:
  enum class Reads : uint8_t {
    everything,
    services,  // the firewall's lines of this source are read elsewhere, and would be counted twice
    file,      // what programs write to the syslog, too: only rules and jails that name this file look at it
  };
  explicit LineReader(WallTime booted, Reads reads = Reads::everything) : parser_(booted), reads_(reads) {}

  // A line of the firewall, or what parse() says else: then by_rules() goes on.
  [[nodiscard]] ParsedLine parse(const RawLine& raw) {
    ParsedLine parsed = parser_.parse(raw);
    const bool is_theirs = parsed.fate != LineFate::not_ours && parsed.fate != LineFate::no_header;
    if (reads_ != Reads::everything && is_theirs) parsed.fate = LineFate::read_elsewhere;
    return parsed;
  }
  // What the rules make of the line that was parsed last, with this fate. Appends their events, whose views are valid
  // until the next line is read, and returns the fate that the line has now.
  LineFate by_rules(const RawLine& raw, LineFate fate, RuleBook& book, std::vector<Event>& events);

  // All rules that the line is offered to, and what they made of it, in each of its readings.
  [[nodiscard]] std::vector<RuleTrial> explain(const RawLine& raw, RuleSet& rules);
  // Who said what, in the line that was parsed last.
  [[nodiscard]] const LogLine& line() const { return parser_.line(); }

 private:
  // Calls `use(entry)` for each reading of the line; false if it has none.
  template <typename Use>
  bool for_each_reading(const RawLine& raw, LineFate fate, RuleSet& rules, Use&& use);

  LineParser parser_;
  std::array<EntryReader, line_formats> readers_;  // by format: what one has read stays while another reads
  Reads reads_;
  uint32_t times_ = 1;  // that the last line stands for
};

}  // namespace palang
