#include "parse/timestamp.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "parse/time_parts.hpp"

namespace palang {
namespace {

// "2025-01-12T00:30" as seconds since 1970, taken as UTC.
std::optional<int64_t> read_minute(const char* at) {
  const int century = two_digits(at);
  const int year = two_digits(at + 2);
  const int month = two_digits(at + 5);
  const int day = two_digits(at + 8);
  const int hour = two_digits(at + 11);
  const int minute = two_digits(at + 14);
  const bool separators = at[4] == '-' && at[7] == '-' && (at[10] == 'T' || at[10] == ' ') && at[13] == ':';
  if (!separators || century < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return {};
  const std::chrono::year_month_day date{std::chrono::year{century * 100 + year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (month < 0 || day < 0 || !date.ok()) return {};
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86400 + hour * int64_t{3600} + minute * int64_t{60};
}

// Local time as seconds since 1970, or nothing where that day doesn't exist (February 29).
std::optional<int64_t> local_seconds(int year, int month, int day, int hour) {
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&parts);
  if (parts.tm_mon != month || parts.tm_mday != day) return {};
  return static_cast<int64_t>(seconds);
}

// Whether a local clock that shows this day and hour may be `seconds` since 1970.
bool reads_as(int64_t seconds, int month, int day, int hour) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  localtime_r(&time, &parts);
  return parts.tm_mon == month && parts.tm_mday == day && parts.tm_hour == hour;
}

}  // namespace

std::optional<TimestampReader::Stamp> TimestampReader::iso(std::string_view text) {
  if (const auto stamp = iso_like_before(text)) return stamp;
  if (text.size() < minute_length + 4) return {};
  if (std::memcmp(text.data(), cached_minute_, minute_length) != 0) {
    const auto minute = read_minute(text.data());
    if (!minute) return {};
    std::memcpy(cached_minute_, text.data(), minute_length);
    cached_seconds_ = *minute;
  }
  const int second = text[16] == ':' ? two_digits(text.data() + 17) : -1;
  if (second < 0 || second > 60) return {};

  const int64_t utc = cached_seconds_ + std::min(second, 59);
  size_t at = 19;
  int64_t micros = 0;
  if (at < text.size() && (text[at] == '.' || text[at] == ',')) {
    int64_t weight = 100'000;
    for (++at; at < text.size() && is_digit(text[at]); ++at, weight /= 10) micros += (text[at] - '0') * weight;
  }
  const auto offset = read_offset(text.substr(at));
  if (!offset) return {};
  if (offset->length == sizeof offset_text_) {
    std::memcpy(offset_text_, text.data() + at, sizeof offset_text_);
    offset_seconds_ = offset->seconds;
  }
  return Stamp{WallTime{Duration{(utc - offset->seconds) * 1'000'000 + micros}}, at + offset->length};
}

bool TimestampReader::find_local_hour(int month, int day, int hour, WallTime newest) {
  const auto bound = std::chrono::floor<std::chrono::seconds>(newest + one_day).time_since_epoch().count();
  const std::chrono::year_month_day newest_date{std::chrono::floor<std::chrono::days>(newest + one_day)};
  const int latest_year = static_cast<int>(newest_date.year());
  // A February 29 may lie up to eight years back (1896 to 1904, 2096 to 2104).
  for (int year = latest_year; year > latest_year - 9; --year) {
    const auto guess = local_seconds(year, month, day, hour);
    if (!guess || *guess > bound) continue;
    constexpr int64_t one_hour = 3600;
    const bool also_before = reads_as(*guess - one_hour, month, day, hour);
    const bool also_after = reads_as(*guess + one_hour, month, day, hour);
    hour_ = {month, day, hour, also_before ? *guess - one_hour : *guess, also_after ? *guess + one_hour : *guess};
    return true;
  }
  return false;
}

std::optional<TimestampReader::Stamp> TimestampReader::bsd(std::string_view text, WallTime newest) {
  if (text.size() < 15) return {};
  const char* at = text.data();
  const int month = month_number(at);
  const int day = at[4] == ' ' && is_digit(at[5]) ? at[5] - '0' : two_digits(at + 4);
  const int hour = two_digits(at + 7);
  const int minute = two_digits(at + 10);
  const int second = two_digits(at + 13);
  const bool separators = at[3] == ' ' && at[6] == ' ' && at[9] == ':' && at[12] == ':';
  if (!separators || month < 0 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)
    return {};

  const bool same_hour = month == hour_.month && day == hour_.day && hour == hour_.hour;
  // The year of a remembered hour stands until `newest` allows a later one, or not even this one.
  const Duration ahead = newest - WallTime{std::chrono::seconds{hour_.start}};
  const bool year_may_differ = ahead < -one_day || ahead > one_day * 364;
  if ((!same_hour || year_may_differ) && !find_local_hour(month, day, hour, newest)) return {};

  const int64_t within = minute * 60 + std::min(second, 59);
  int64_t seconds = hour_.start + within;
  constexpr int64_t disorder = 600;  // lines of one file may be this much out of order
  if (hour_.second_start != hour_.start && seconds + disorder < last_bsd_) seconds = hour_.second_start + within;
  last_bsd_ = seconds;
  return Stamp{WallTime{Duration{seconds * 1'000'000}}, 15};
}

}  // namespace palang
