#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace palang::f2b {

// How the date in a pattern is kept from being part of a word.
enum class DateStart : unsigned char {
  anywhere,
  at_word,  // fail2ban's default
  at_line,  // {^LN-BEG}: up to two characters before it that are no letters
};

// The regular expression of a date in Python's dialect; group 1 is what is cut out of the line.
struct DateRegex {
  std::string text;
  bool at_line_begin = false;
  bool at_line_end = false;
};

[[nodiscard]] DateRegex bound_date(std::string_view regex, DateStart start, bool word_end);

// "%Y-%m-%d" as a regular expression with the groups Y, m, d.
[[nodiscard]] Result<std::string> expand_date_fields(std::string_view pattern);

}  // namespace palang::f2b
