#include "base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <limits>

namespace palang {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

// Largest first, as they are written.
constexpr std::array<Unit, 6> units{{
    {"w", std::chrono::hours{24 * 7}},
    {"d", std::chrono::hours{24}},
    {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},
    {"s", std::chrono::seconds{1}},
    {"ms", std::chrono::milliseconds{1}},
}};

const Unit* unit_named(std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

Failure bad_duration(std::string_view text) {
  return Failure(
      Error::usage("'" + std::string(text) +
                   "' is not a duration: write a number and a unit, as in \"90s\", \"10m\", \"12h\", \"3d\""));
}

std::string format_time(const char* pattern, const std::tm& parts) {
  std::array<char, 64> buffer{};
  const size_t length = std::strftime(buffer.data(), buffer.size(), pattern, &parts);
  return {buffer.data(), length};
}

std::time_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  Duration total{0};
  std::string_view rest = text;
  if (rest.empty()) return bad_duration(text);
  while (!rest.empty()) {
    int64_t count = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (status != std::errc{} || count < 0) return bad_duration(text);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const size_t unit_length = std::min(rest.find_first_of("0123456789"), rest.size());
    const Unit* unit = unit_named(rest.substr(0, unit_length));
    if (unit == nullptr) return bad_duration(text);
    if (count > (std::numeric_limits<int64_t>::max() / 4 - total.count()) / unit->length.count())
      return bad_duration(text);
    total += unit->length * count;
    rest.remove_prefix(unit_length);
  }
  return total;
}

std::string format_duration(Duration duration) {
  if (duration < Duration{1ms}) return "0s";
  std::string text;
  for (const Unit& unit : units) {
    if (unit.name == "w") continue;
    const auto count = duration / unit.length;
    if (count == 0) continue;
    text.append(std::to_string(count)).append(unit.name);
    duration -= unit.length * count;
  }
  return text;
}

std::string approximate_duration(Duration duration) {
  if (duration < Duration{1s}) return "0s";
  std::string text;
  int shown = 0;
  for (const Unit& unit : units) {
    if (unit.name == "w" || unit.name == "ms") continue;
    const auto count = duration / unit.length;
    duration -= unit.length * count;
    if (count == 0 && shown == 0) continue;
    if (count > 0) text.append(shown > 0 ? " " : "").append(std::to_string(count)).append(unit.name);
    if (++shown == 2) break;
  }
  return text;
}

std::string format_utc(WallTime time) {
  const std::time_t seconds = seconds_of(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return format_time("%Y-%m-%dT%H:%M:%SZ", parts);
}

std::string format_local(WallTime time) {
  const std::time_t seconds = seconds_of(time);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return format_time("%Y-%m-%d %H:%M:%S", parts);
}

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace palang
