#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "rules/f2b_jails.hpp"

namespace palang::f2b {

namespace {

struct TimeUnit {
  std::string_view word;  // whole; short forms are beginnings of it
  size_t shortest;        // letters
  double seconds;
};

constexpr double day_seconds = 86'400;
constexpr double year_seconds = 365.25 * day_seconds;

// "m" is a minute, "mo" a month.
constexpr std::array<TimeUnit, 7> time_units = {{
    {"seconds", 1, 1},
    {"minutes", 1, 60},
    {"hours", 1, 3'600},
    {"days", 1, day_seconds},
    {"weeks", 1, 7 * day_seconds},
    {"months", 2, year_seconds / 12},
    {"years", 1, year_seconds},
}};

std::optional<double> unit_seconds(std::string_view word) {
  for (const TimeUnit& unit : time_units) {
    if (unit.word.starts_with(word) && word.size() >= unit.shortest) return unit.seconds;
    // "ss", "mm", "hh", "dd", "ww", "yy"
    if (word.size() == 2 && word[0] == word[1] && unit.shortest == 1 && unit.word[0] == word[0]) return unit.seconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Duration> read_time(std::string_view text) {
  const std::string small = lower(text);
  std::string_view rest = strip(small);
  if (rest.empty()) return std::nullopt;
  double total = 0;
  double sign = 1;
  while (!rest.empty()) {
    if (rest.front() == '+' || rest.front() == '-') {
      sign = rest.front() == '-' ? -1 : 1;
      rest = strip(rest.substr(1));
    }
    double number = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (read.ec != std::errc{} || rest.front() == '-' || !std::isfinite(number)) return std::nullopt;
    rest = strip(rest.substr(static_cast<size_t>(read.ptr - rest.data())));
    const auto is_letter = [](char byte) { return byte >= 'a' && byte <= 'z'; };
    const auto length = static_cast<size_t>(std::ranges::find_if_not(rest, is_letter) - rest.begin());
    double unit = 1;
    if (length > 0) {
      const auto known = unit_seconds(rest.substr(0, length));
      if (!known) return std::nullopt;
      unit = *known;
    }
    rest = strip(rest.substr(length));
    total += sign * number * unit;
    sign = 1;
  }
  constexpr double longest = 1'000 * year_seconds;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::clamp(total, -longest, longest)));
}

}  // namespace palang::f2b
