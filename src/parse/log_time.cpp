#include "parse/log_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>

#include "parse/time_parts.hpp"

namespace palang {
namespace {

using Stamp = LogTimeReader::Stamp;

constexpr int64_t one_minute = 60;  // seconds
constexpr int64_t one_hour = 3600;

std::optional<int64_t> days_since_1970(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (month < 1 || day < 1 || !date.ok()) return {};
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

int four_digits(const char* at) {
  const int high = two_digits(at);
  const int low = two_digits(at + 2);
  return high < 0 || low < 0 ? -1 : high * 100 + low;
}

WallTime wall_time(int64_t seconds, int64_t micros = 0) {
  return WallTime{Duration{seconds * 1'000'000 + micros}};
}

// ".123456" or ",123" at `at`, which moves behind it.
int64_t read_fraction(std::string_view text, size_t& at) {
  if (at + 1 >= text.size() || (text[at] != '.' && text[at] != ',') || !is_digit(text[at + 1])) return 0;
  int64_t micros = 0;
  int64_t weight = 100'000;
  for (++at; at < text.size() && is_digit(text[at]); ++at, weight /= 10) micros += (text[at] - '0') * weight;
  return micros;
}

// "UTC" and the like behind a time; the two names of the local zone change nothing.
enum class Zone : uint8_t { none, local, utc };

Zone read_zone_name(std::string_view text, size_t& at) {
  const std::string_view rest = text.substr(at);
  if (!rest.starts_with(' ')) return Zone::none;
  const size_t end = rest.find_first_of(" ]:,", 1);
  const std::string_view name = rest.substr(1, end == std::string_view::npos ? end : end - 1);
  if (name == "UTC" || name == "GMT") {
    at += 1 + name.size();
    return Zone::utc;
  }
  if (name.size() < 3 || (name != tzname[0] && name != tzname[1])) return Zone::none;
  at += 1 + name.size();
  return Zone::local;
}

// Where the message begins, behind a time of `length`.
size_t skip_separators(std::string_view text, size_t length) {
  while (length < text.size() && (text[length] == ' ' || text[length] == '\t')) ++length;
  if (length < text.size() && (text[length] == ':' || text[length] == ',')) ++length;
  while (length < text.size() && (text[length] == ' ' || text[length] == '\t')) ++length;
  return length;
}

}  // namespace

std::optional<int64_t> LogTimeReader::local_hour(const Date& date, int hour) {
  if (hour < 0 || hour > 23) return {};
  if (hour == hour_ && date.day == hour_date_.day && date.month == hour_date_.month && date.year == hour_date_.year)
    return hour_seconds_;
  if (!days_since_1970(date.year, date.month, date.day)) return {};
  std::tm parts{};
  parts.tm_year = date.year - 1900;
  parts.tm_mon = date.month - 1;
  parts.tm_mday = date.day;
  parts.tm_hour = hour;
  parts.tm_isdst = -1;
  hour_seconds_ = std::mktime(&parts);
  hour_date_ = date;
  hour_ = hour;
  return hour_seconds_;
}

std::optional<Stamp> LogTimeReader::local(const Date& date, std::string_view text, size_t at) {
  if (text.size() < at + 7) return {};
  // "0:30:41" or " 0:30:41" (MySQL)
  const bool one_digit = text[at + 1] == ':' && is_digit(text[at]);
  const bool blank = text[at] == ' ' && is_digit(text[at + 1]);
  const int hour = one_digit ? text[at] - '0' : blank ? text[at + 1] - '0' : two_digits(text.data() + at);
  at += one_digit ? 1 : 2;
  if (text.size() < at + 6 || text[at] != ':' || text[at + 3] != ':') return {};
  const int minute = two_digits(text.data() + at + 1);
  const int second = two_digits(text.data() + at + 4);
  if (minute < 0 || minute > 59 || second < 0 || second > 60) return {};
  const auto begin = local_hour(date, hour);
  if (!begin) return {};
  at += 6;
  const int64_t micros = read_fraction(text, at);
  return Stamp{wall_time(*begin + minute * one_minute + std::min(second, 59), micros), at};
}

std::optional<Stamp> LogTimeReader::access(std::string_view text) {
  constexpr size_t minute_length = sizeof access_minute_;
  const bool named = text.size() > 3 && !is_digit(text[3]);
  const size_t length = named ? minute_length : minute_length - 1;  // "12/Jan/2025:00:30", "12/01/2025:00:30"
  if (text.size() < length + 4) return {};
  if (!named || std::memcmp(text.data(), access_minute_, minute_length) != 0) {
    const char* at = text.data();
    const size_t year_at = named ? 7 : 6;
    const int day = two_digits(at);
    const int month = named ? month_number(at + 3) + 1 : two_digits(at + 3);
    const int hour = two_digits(at + year_at + 5);
    const int minute = two_digits(at + year_at + 8);
    const bool separators = at[2] == '/' && at[year_at - 1] == '/' && at[year_at + 4] == ':' && at[year_at + 7] == ':';
    const auto days = days_since_1970(four_digits(at + year_at), month, day);
    if (!separators || !days || hour < 0 || hour > 23 || minute < 0 || minute > 59) return {};
    access_seconds_ = *days * 86400 + hour * one_hour + minute * one_minute;
    if (named)
      std::memcpy(access_minute_, at, minute_length);
    else
      access_minute_[0] = 0;
  }
  const int second = text[length] == ':' ? two_digits(text.data() + length + 1) : -1;
  if (second < 0 || second > 60) return {};
  size_t at = length + 3;
  const int64_t micros = read_fraction(text, at);
  if (at < text.size() && text[at] == ' ') ++at;
  const auto offset = read_offset(text.substr(at));
  if (!offset) return {};
  return Stamp{wall_time(access_seconds_ + std::min(second, 59) - offset->seconds, micros), at + offset->length};
}

std::optional<Stamp> LogTimeReader::slashed(std::string_view text) {
  if (text.size() < 19 || text[4] != '/' || text[7] != '/' || text[10] != ' ') return {};
  return local({four_digits(text.data()), two_digits(text.data() + 5), two_digits(text.data() + 8)}, text, 11);
}

std::optional<Stamp> LogTimeReader::asctime(std::string_view text) {
  if (text.size() < 24 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ') return {};
  const int month = month_number(text.data() + 4) + 1;
  const int day = text[8] == ' ' && is_digit(text[9]) ? text[9] - '0' : two_digits(text.data() + 8);
  // The year stands behind the fraction, if there is one.
  size_t year_at = 19;
  read_fraction(text, year_at);
  if (text.size() < year_at + 5 || text[year_at] != ' ') return {};
  const auto stamp = local({four_digits(text.data() + year_at + 1), month, day}, text, 11);
  if (!stamp || stamp->length != year_at) return {};
  return Stamp{stamp->at, year_at + 5};
}

std::optional<Stamp> LogTimeReader::iso(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ')) return {};
  if (auto exact = timestamps_.iso(text)) return exact;
  const auto stamp =
      local({four_digits(text.data()), two_digits(text.data() + 5), two_digits(text.data() + 8)}, text, 11);
  if (!stamp) return {};
  size_t at = stamp->length;
  // "2025-01-12 00:30:41 +0700", "… UTC": an offset behind a space is not part of RFC 3339.
  const bool has_offset = at + 1 < text.size() && text[at] == ' ' && (text[at + 1] == '+' || text[at + 1] == '-');
  const auto offset = has_offset ? read_offset(text.substr(at + 1)) : std::nullopt;
  const bool utc = !offset && read_zone_name(text, at) == Zone::utc;
  if (!offset && !utc) return Stamp{stamp->at, at};
  const auto days = days_since_1970(four_digits(text.data()), two_digits(text.data() + 5), two_digits(text.data() + 8));
  const int hour = two_digits(text.data() + 11);
  if (!days || hour < 0) return {};
  const int64_t within = std::chrono::floor<std::chrono::seconds>(stamp->at).time_since_epoch().count() - hour_seconds_;
  const int64_t micros = (stamp->at - std::chrono::floor<std::chrono::seconds>(stamp->at)).count();
  const int64_t seconds = *days * 86400 + hour * one_hour + within - (offset ? offset->seconds : 0);
  return Stamp{wall_time(seconds, micros), at + (offset ? offset->length + 1 : 0)};
}

std::optional<Stamp> LogTimeReader::bind(std::string_view text) {
  if (text.size() < 20 || text[2] != '-' || text[6] != '-' || text[11] != ' ') return {};
  return local({four_digits(text.data() + 7), month_number(text.data() + 3) + 1, two_digits(text.data())}, text, 12);
}

std::optional<Stamp> LogTimeReader::mysql(std::string_view text) {
  if (text.size() < 14 || text[6] != ' ' || !std::all_of(text.begin(), text.begin() + 6, is_digit)) return {};
  return local({2000 + two_digits(text.data()), two_digits(text.data() + 2), two_digits(text.data() + 4)}, text, 7);
}

std::optional<Stamp> LogTimeReader::direct_admin(std::string_view text) {
  if (text.size() < 19 || text[4] != ':' || text[7] != ':' || text[10] != '-') return {};
  return local({four_digits(text.data()), two_digits(text.data() + 5), two_digits(text.data() + 8)}, text, 11);
}

std::optional<Stamp> LogTimeReader::epoch(std::string_view text) {
  constexpr size_t digits = 10;  // from 2001 to 2286
  if (text.size() < digits || !std::all_of(text.begin(), text.begin() + digits, is_digit)) return {};
  if (text[0] == '0' || (text.size() > digits && is_digit(text[digits]))) return {};
  int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + digits, seconds);
  size_t at = digits;
  const int64_t micros = read_fraction(text, at);
  return Stamp{wall_time(seconds, micros), at};
}

std::optional<Stamp> LogTimeReader::bare(std::string_view text, WallTime newest) {
  if (text.empty()) return {};
  if (!is_digit(text[0])) {
    if (auto stamp = asctime(text)) return stamp;
    return timestamps_.bsd(text, newest);
  }
  if (auto stamp = iso(text)) return stamp;
  if (auto stamp = slashed(text)) return stamp;
  if (auto stamp = access(text)) return stamp;
  if (auto stamp = bind(text)) return stamp;
  if (auto stamp = mysql(text)) return stamp;
  if (auto stamp = direct_admin(text)) return stamp;
  return epoch(text);
}

std::optional<Stamp> LogTimeReader::leading(std::string_view text, WallTime newest) {
  const bool bracket = text.starts_with('[');
  auto stamp = bare(bracket ? text.substr(1) : text, newest);
  if (!stamp) return {};
  if (bracket) {
    if (++stamp->length >= text.size() || text[stamp->length] != ']') return {};
    ++stamp->length;
  } else if (stamp->length < text.size()) {
    const char next = text[stamp->length];
    const bool ends = next == ' ' || next == '\t' || next == ':' || next == ',';
    if (!ends) return {};
  }
  stamp->length = skip_separators(text, stamp->length);
  return stamp;
}

}  // namespace palang
