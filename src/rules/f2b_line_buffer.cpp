#include "rules/f2b_line_buffer.hpp"

#include <algorithm>

namespace palang::f2b {

namespace {

size_t count_line_ends(std::string_view text) {
  return static_cast<size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

void LineBuffer::add(const LogParts& parts) {
  if (lines_.size() == most_) {
    // The strings are used again.
    std::ranges::rotate(lines_, lines_.begin() + 1);
  } else {
    lines_.emplace_back();
  }
  Line& line = lines_.back();
  line.text.assign(parts.before).append(parts.after);
  line.whole.assign(parts.before).append(parts.date).append(parts.after);
  join();
}

void LineBuffer::join() {
  // A search sees no more than this: the oldest lines go first.
  size_t size = 0;
  for (const Line& line : lines_) size += line.text.size() + 1;
  while (size > Regex::max_subject && lines_.size() > 1) {
    size -= lines_.front().text.size() + 1;
    lines_.erase(lines_.begin());
  }
  text_.clear();
  for (const Line& line : lines_) text_.append(line.text).append("\n");
  wide_ = is_wide_utf8(text_);
}

LineBuffer::Matched LineBuffer::matched(const Subject& subject, const Pattern& pattern,
                                        const Captures& captures) const {
  Matched result;
  if (lines_.size() <= 1) {
    for (const Line& line : lines_) {
      result.lines.add(line.whole);
      result.text.append(line.text).append("\n");
    }
    return result;
  }
  const std::string_view text = subject.text;
  const size_t start = text.rfind('\n', captures.begin(0));
  const size_t first = start == std::string_view::npos ? 0 : count_line_ends(text.substr(0, start + 1));
  const size_t end = text.find('\n', captures.end(0) == 0 ? 0 : captures.end(0) - 1);
  const size_t behind = count_line_ends(text.substr(0, end == std::string_view::npos ? text.size() : end + 1));
  const size_t last = std::min(behind, lines_.size());
  for (size_t index = 0; index < std::min(first, lines_.size()); ++index) result.rest.push_back(index);
  const auto skipped = pattern.skipped_lines(captures);
  size_t next = 0;
  for (size_t index = first; index < last; ++index) {
    if (next < skipped.size() && lines_[index].text == skipped[next]) {
      result.rest.push_back(index);
      ++next;
      continue;
    }
    result.lines.add(lines_[index].whole);
    result.text.append(lines_[index].text).append("\n");
  }
  for (size_t index = last; index < lines_.size(); ++index) result.rest.push_back(index);
  return result;
}

void LineBuffer::drop(const Matched& matched) {
  std::vector<Line> rest;
  for (const size_t index : matched.rest) rest.push_back(std::move(lines_[index]));
  lines_ = std::move(rest);
  join();
}

}  // namespace palang::f2b
