#include "rules/f2b_date_detector.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "rules/f2b_ini.hpp"

namespace palang::f2b {

namespace {

std::string_view byte_at(std::string_view text, size_t at) {
  return at < text.size() ? text.substr(at, 1) : std::string_view();
}
std::string_view byte_before(std::string_view text, size_t at) {
  return at == 0 ? std::string_view() : byte_at(text, at - 1);
}

bool is_letter_or_digit(std::string_view byte) {
  if (byte.empty()) return false;
  const char c = byte.front();
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_anchored(const DateTemplate& format) {
  return format.at_line_begin() || format.at_line_end();
}

}  // namespace

double DateDetector::Entry::weight() const {
  return static_cast<double>(hits) * format->weight() / static_cast<double>(std::max<size_t>(1, distance));
}

void DateDetector::add(const std::shared_ptr<const DateTemplate>& format) {
  const auto same = [&](const Entry& entry) { return entry.format->name() == format->name(); };
  if (std::ranges::none_of(entries_, same)) entries_.push_back({.format = format, .last_used = {}});
}

Result<DateDetector> DateDetector::make(const std::vector<std::string>& patterns, std::optional<int> zone) {
  DateDetector detector;
  detector.zone_ = zone;
  for (const std::string& pattern : patterns) {
    const std::string word = pattern.find('%') == std::string::npos ? lower(pattern) : pattern;
    if (word == "{default}" || word == "{^ln-beg}") {
      for (const auto& format : default_date_templates(true))
        if (word == "{default}" || format->at_line_begin()) detector.add(format);
    } else if (lower(pattern).find("{date}") != std::string::npos) {
      const auto within = dates_within(pattern);
      if (!within) return std::unexpected(within.error());
      for (const auto& format : *within) detector.add(format);
    } else {
      const auto made = DateTemplate::make(word == "{none}" ? "{UNB}^" : pattern);
      if (!made) return std::unexpected(made.error());
      detector.add(*made);
    }
  }
  if (detector.entries_.empty())
    for (const auto& format : default_date_templates(true)) detector.add(format);
  return detector;
}

bool DateDetector::try_template(std::string_view line, Captures& captures, Candidate& candidate) {
  Entry& entry = entries_[candidate.index];
  if (!entry.format->match(line.substr(0, candidate.to), captures, candidate.from)) return false;
  ++entry.matches;
  candidate.begin = captures.begin(0);
  candidate.end = captures.end(0);
  return true;
}

// Whether the last date's place has the same surroundings in this line: outside, or else inside if it is no letter or
// digit, which would say that the date is longer here.
bool DateDetector::last_place_fits(std::string_view line) const {
  const bool begin_fits = byte_before(line, last_begin_) == before_begin_ ||
                          (byte_at(line, last_begin_) == at_begin_ && !is_letter_or_digit(at_begin_));
  const bool end_fits = byte_at(line, last_end_) == at_end_ ||
                        (byte_before(line, last_end_) == before_end_ && !is_letter_or_digit(before_end_));
  return begin_fits && end_fits;
}

std::optional<DateDetector::Candidate> DateDetector::try_last(std::string_view line, Captures& captures) {
  if (last_ >= entries_.size()) return std::nullopt;
  Candidate candidate;
  candidate.index = last_;
  const DateTemplate& format = *entries_[last_].format;
  if (!is_anchored(format) && last_place_fits(line)) {
    candidate.from = last_begin_;
    candidate.to = last_end_;
  } else {
    skip_ = last_;
  }
  if (!try_template(line, captures, candidate)) return std::nullopt;
  if (entries_.size() == 1 || is_anchored(format) || (candidate.begin == last_begin_ && candidate.end == last_end_))
    return candidate;
  reserve_ = candidate;
  return std::nullopt;
}

// Whether no later template can be a better choice.
bool DateDetector::is_final(const Candidate& candidate) const {
  const Entry& entry = entries_[candidate.index];
  if (candidate.index + 1 >= entries_.size() || is_anchored(*entry.format)) return true;
  if (candidate.begin == 0 && entry.hits > 0 && entries_[candidate.index + 1].matches == 0) return true;
  // Farther from the start than before: it may be a date in the message, so others are tried first.
  return candidate.begin <= entry.distance && candidate.begin <= last_begin_;
}

std::optional<DateDetector::Candidate> DateDetector::search(std::string_view line, Captures& captures) {
  for (size_t index = 0; index < entries_.size(); ++index) {
    if (index == skip_) continue;
    Candidate candidate;
    candidate.index = index;
    if (!try_template(line, captures, candidate)) continue;
    if (is_final(candidate)) return candidate;
    if (candidate.begin < reserve_.begin) reserve_ = candidate;
  }
  if (reserve_.begin == far) return std::nullopt;
  if (!entries_[reserve_.index].format->match(line.substr(0, reserve_.to), captures, reserve_.from))
    return std::nullopt;
  return reserve_;
}

std::optional<DateDetector::Found> DateDetector::find(std::string_view line, Captures& captures, WallTime now) {
  skip_ = far;
  reserve_ = {};
  auto winner = try_last(line, captures);
  if (!winner) winner = search(line, captures);
  if (!winner) return std::nullopt;
  const DateTemplate& format = *entries_[winner->index].format;
  Found found;
  const std::string_view cut = captures.group(1).value_or("");
  found.begin = cut.empty() && !captures.group(1) ? 0 : captures.begin(1);
  found.end = found.begin + cut.size();
  if (!cut.empty()) found.at = format.time(captures, now, zone_, clock_);
  remember(line, *winner, now);
  return found;
}

void DateDetector::remember(std::string_view line, const Candidate& winner, WallTime now) {
  Entry& entry = entries_[winner.index];
  ++entry.hits;
  entry.last_used = now;
  entry.distance = winner.begin;
  if (first_unused_ == winner.index) ++first_unused_;
  last_begin_ = winner.begin;
  last_end_ = winner.end;
  before_begin_ = byte_before(line, winner.begin);
  at_begin_ = byte_at(line, winner.begin);
  before_end_ = byte_before(line, winner.end);
  at_end_ = byte_at(line, winner.end);
  last_ = winner.index != 0 && winner.index != last_ ? promote(winner.index) : winner.index;
}

bool DateDetector::may_take_place(const Entry& entry, size_t place) const {
  constexpr Duration long_unused = std::chrono::minutes{5};
  return entry.weight() > entries_[place].weight() || entry.last_used - long_unused > entries_[place].last_used;
}

// Moves a template towards the front if it deserves it; the place where it is then.
size_t DateDetector::promote(size_t index) {
  const Entry entry = entries_[index];
  size_t place = first_unused_ < index ? first_unused_ : index / 2;
  if (!may_take_place(entry, place)) {
    if (place == index - 1) return index;
    place = index - 1;
    if (!may_take_place(entry, place)) return index;
  }
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(place);
  std::rotate(first, entries_.begin() + static_cast<std::ptrdiff_t>(index),
              entries_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
  while (first_unused_ < entries_.size() && entries_[first_unused_].hits > 0) ++first_unused_;
  return place;
}

}  // namespace palang::f2b
