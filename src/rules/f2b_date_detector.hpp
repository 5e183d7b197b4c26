#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "rules/f2b_date_template.hpp"

namespace palang::f2b {

// Finds the date of a log line. Logs keep to one format, so the template that found the last date is tried first, at
// the same place; those that find often move to the front, as fail2ban does it, since which of several dates in a line
// is taken depends on it. The same lines in the same order give the same dates.
class DateDetector {
 public:
  // The lines of a filter's datepattern; none: fail2ban's defaults. `zone`: minutes east of UTC for dates without one.
  [[nodiscard]] static Result<DateDetector> make(const std::vector<std::string>& patterns, std::optional<int> zone);

  struct Found {
    size_t begin = 0;  // of what is cut out of the line
    size_t end = 0;
    std::optional<WallTime> at;  // nothing if it is no date (31 February), or "" was cut out
  };
  // `now` tells the year, where the line doesn't.
  [[nodiscard]] std::optional<Found> find(std::string_view line, Captures& captures, WallTime now);

 private:
  struct Entry {
    std::shared_ptr<const DateTemplate> format;
    uint64_t matches = 0;  // of the template
    uint64_t hits = 0;     // that were taken
    WallTime last_used;
    size_t distance = far;  // of the last one from the start of the line
    [[nodiscard]] double weight() const;
  };
  // A match, and how to have it again.
  struct Candidate {
    size_t index = 0;
    size_t from = 0;  // the part of the line that was searched
    size_t to = far;
    size_t begin = far;
    size_t end = far;
  };
  static constexpr size_t far = 0x7fffffff;

  void add(const std::shared_ptr<const DateTemplate>& format);
  [[nodiscard]] bool try_template(std::string_view line, Captures& captures, Candidate& candidate);
  [[nodiscard]] std::optional<Candidate> try_last(std::string_view line, Captures& captures);
  [[nodiscard]] bool last_place_fits(std::string_view line) const;
  [[nodiscard]] bool is_final(const Candidate& candidate) const;
  [[nodiscard]] std::optional<Candidate> search(std::string_view line, Captures& captures);
  void remember(std::string_view line, const Candidate& winner, WallTime now);
  [[nodiscard]] bool may_take_place(const Entry& entry, size_t place) const;
  [[nodiscard]] size_t promote(size_t index);

  std::vector<Entry> entries_;
  std::optional<int> zone_;
  LocalClock clock_;
  size_t last_ = far;  // index of the template that found the last date
  size_t first_unused_ = 0;
  size_t skip_ = far;      // tried already on this line
  Candidate reserve_;      // on this line
  size_t last_begin_ = 1;  // where the last date was, and the characters round its ends; "" at the line's ends
  size_t last_end_ = far;
  std::string before_begin_, at_begin_, before_end_, at_end_;
};

}  // namespace palang::f2b
