#include "cli/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace palang {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

// The code point at the start of `text` (RFC 3629; overlong forms and surrogates are not UTF-8).
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  uint32_t value = lead & (0x7fU >> bytes);
  for (size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(at) & 0x3f);
  }
  static constexpr std::array<uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[bytes] || value > 0x10ffff || surrogate) return {};
  return {value, bytes};
}

bool is_shown(uint32_t value) {
  if (value < 0x20 || (value >= 0x7f && value < 0xa0)) return false;
  const bool turns_or_hides = (value >= 0x200b && value <= 0x200f) || (value >= 0x2028 && value <= 0x202e) ||
                              (value >= 0x2060 && value <= 0x206f) || value == 0xfeff || value == 0xad;
  return !turns_or_hides && value < 0xe0000;  // above: tags and private use
}

bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const CodePoint first = first_code_point(text);
    const size_t bytes = std::max<size_t>(first.bytes, 1);
    if (first.bytes > 0 && is_shown(first.value)) {
      clean.append(text.substr(0, bytes));
    } else {
      for (const char c : text.substr(0, bytes))
        clean.append(fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c))));
    }
    text.remove_prefix(bytes);
  }
  return clean;
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, begins_code_point));
}

std::string cut_to(std::string_view text, size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  size_t kept = 0;
  size_t end = 0;
  for (; end < text.size(); ++end)
    if (begins_code_point(text[end]) && kept++ == columns - 1) break;
  return std::string(text.substr(0, end)).append("…");
}

std::string wrapped(std::string_view text, size_t width, size_t indent) {
  std::string result;
  size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const size_t needed = columns_of(word);
    if (!result.empty() && width > 0 && column + 1 + needed > width) {
      result.append("\n").append(indent, ' ');
      column = indent;
    } else if (!result.empty()) {
      result.push_back(' ');
      ++column;
    }
    result.append(word);
    column += needed;
  }
  return result;
}

std::string grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string counted(uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

Result<WallTime> parse_utc(std::string_view text) {
  // "YYYY-MM-DDTHH:MM:SSZ": each number between its separators.
  static constexpr std::string_view shape = "0000-00-00T00:00:00Z";
  std::array<int, 6> parts{};
  size_t part = 0;
  bool fits = text.size() == shape.size();
  for (size_t at = 0; fits && at < shape.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (shape[at] == '0' && digit)
      parts[part] = parts[part] * 10 + (text[at] - '0');
    else if (shape[at] == text[at])
      ++part;
    else
      fits = false;
  }
  const std::chrono::year_month_day date{std::chrono::year{parts[0]},
                                         std::chrono::month{static_cast<unsigned>(parts[1])},
                                         std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!fits || !date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60)
    return fail(fmt::format("'{}' is not a time in UTC", escape_controls(text)));
  return WallTime{std::chrono::sys_days{date} + std::chrono::hours{parts[3]} + std::chrono::minutes{parts[4]} +
                  std::chrono::seconds{parts[5]}};
}

std::string relative(WallTime time, WallTime now) {
  if (time == WallTime{}) return "never";
  if (time == WallTime::max()) return "without end";
  if (time >= now + Duration{1s}) return "in " + approximate_duration(time - now);
  if (now >= time + Duration{1s}) return approximate_duration(now - time) + " ago";
  return "now";
}

std::string local_and_relative(WallTime time, WallTime now) {
  if (time == WallTime{} || time == WallTime::max()) return relative(time, now);
  return fmt::format("{} ({})", format_local(time), relative(time, now));
}

}  // namespace palang
