// A timestamp, whatever stands in it. The first byte says how many years after 1970 the newest line is; then pieces
// between line ends go to one reader, whose memory must not change what it reads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "parse/timestamp.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_iso(TimestampReader& reader, std::string_view text) {
  const auto stamp = reader.iso(text);
  TimestampReader fresh;
  const auto again = fresh.iso(text);
  require(stamp.has_value() == again.has_value());
  if (!stamp) return;
  require(stamp->at == again->at && stamp->length == again->length);
  require(stamp->length >= 20 && stamp->length <= text.size());
  require(text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':');
  // The year as written, give or take what an offset can shift.
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(stamp->at)};
  const int written = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  require(std::abs(static_cast<int>(date.year()) - written) <= 1);
}

void check_bsd(TimestampReader& reader, std::string_view text, WallTime newest) {
  const auto stamp = reader.bsd(text, newest);
  TimestampReader fresh;
  const auto again = fresh.bsd(text, newest);
  require(stamp.has_value() == again.has_value());
  if (!stamp) return;
  require(stamp->length == 15);
  require(stamp->at <= newest + one_day + 2h);
  require(stamp->at > newest - one_day * 366 * 8 - one_day * 2);
  require(std::chrono::abs(stamp->at - again->at) <= Duration{1h});  // an hour that comes twice
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool in_berlin = setenv("TZ", "Europe/Berlin", 1) == 0;
  require(in_berlin);
  if (size == 0) return 0;
  const WallTime newest{one_day * 365 * (data[0] % 130) + one_day * (data[0] % 7) * 50};
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  TimestampReader reader;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    check_iso(reader, rest.substr(0, end));
    check_bsd(reader, rest.substr(0, end), newest);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
