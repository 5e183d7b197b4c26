#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace palang {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Two digits as a number, or -1.
constexpr int two_digits(const char* at) {
  return is_digit(at[0]) && is_digit(at[1]) ? (at[0] - '0') * 10 + (at[1] - '0') : -1;
}

// Of a time zone.
struct Offset {
  int64_t seconds = 0;
  size_t length = 0;
};

// "Z", "+07:00", "-0330", "+01".
inline std::optional<Offset> read_offset(std::string_view text) {
  if (text.empty()) return {};
  if (text[0] == 'Z' || text[0] == 'z') return Offset{0, 1};
  if ((text[0] != '+' && text[0] != '-') || text.size() < 3) return {};
  const int hours = two_digits(text.data() + 1);
  if (hours < 0 || hours > 23) return {};
  size_t length = 3;
  int minutes = 0;
  const size_t colon = text.size() > 3 && text[3] == ':' ? 1 : 0;
  if (text.size() >= 5 + colon && is_digit(text[3 + colon])) {
    minutes = two_digits(text.data() + 3 + colon);
    if (minutes < 0 || minutes > 59) return {};
    length = 5 + colon;
  }
  const int64_t seconds = hours * 3600 + minutes * 60;
  return Offset{text[0] == '-' ? -seconds : seconds, length};
}

// The three letters of a month as a number 0..11, or -1.
inline int month_number(const char* at) {
  static constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (size_t i = 0; i < names.size(); ++i)
    if (std::memcmp(at, names[i].data(), 3) == 0) return static_cast<int>(i);
  return -1;
}

}  // namespace palang
