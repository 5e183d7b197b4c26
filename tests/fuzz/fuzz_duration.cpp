// A duration, whatever stands in it: an error in words, or one that its own text reads back.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "base/time.hpp"

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto duration = palang::parse_duration(text);
  if (duration) {
    require(duration->count() >= 0);
    const auto again = palang::parse_duration(palang::format_duration(*duration));
    require(again && *again == *duration);
    require(!palang::approximate_duration(*duration).empty());
  } else {
    require(duration.error().kind == palang::ErrorKind::usage);
  }
  for (const char c : palang::escape_controls(text)) require(c >= 0x20 && c < 0x7f);
  const std::string_view trimmed = palang::trim(text);
  require(trimmed.size() <= text.size() && palang::trim(trimmed) == trimmed);
  return 0;
}
