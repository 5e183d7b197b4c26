#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/f2b_pattern.hpp"
#include "rules/f2b_sessions.hpp"

namespace palang::f2b {

// A log line without its date: what is before and after it.
struct LogParts {
  std::string_view before;
  std::string_view date;
  std::string_view after;
};

// The last lines (`maxlines` of the filter), which are searched together, without their dates, each with a line end.
// With more than one, those that made up a match leave the buffer, so that they don't match again.
class LineBuffer {
 public:
  explicit LineBuffer(uint32_t most) : most_(most) {}

  [[nodiscard]] bool is_multiline() const { return most_ > 1; }
  void add(const LogParts& parts);
  // All lines of the buffer; valid until the next add() or drop().
  [[nodiscard]] Subject subject() const { return {text_, wide_}; }

  // What a match that was just found in `subject` covers.
  struct Matched {
    MatchedLines lines;        // with their dates, as they were logged
    std::string text;          // without dates
    std::vector<size_t> rest;  // the lines that stay
  };
  [[nodiscard]] Matched matched(const Subject& subject, const Pattern& pattern, const Captures& captures) const;
  void drop(const Matched& matched);

 private:
  struct Line {
    std::string text;   // without date, without line end
    std::string whole;  // as it was logged
  };

  void join();

  uint32_t most_;
  std::vector<Line> lines_;
  std::string text_;
  bool wide_ = false;
};

}  // namespace palang::f2b
