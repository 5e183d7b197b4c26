#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace palang {

// What a person may have written (a note, a reason), safe for a terminal: UTF-8 stays; controls, bytes that are no
// UTF-8, and marks that turn or hide text (bidirectional, zero width) become \xNN.
// What an attacker wrote goes through escape_controls() instead.
[[nodiscard]] std::string printable(std::string_view text);

// Columns that UTF-8 text takes, one for each code point.
[[nodiscard]] size_t columns_of(std::string_view text);
// At most `columns` of it, with "…" where something was cut off.
[[nodiscard]] std::string cut_to(std::string_view text, size_t columns);
// Broken at spaces so that no line exceeds `width` (0: endless). The text stands `indent` columns from the left:
// all lines but the first begin with as many spaces.
[[nodiscard]] std::string wrapped(std::string_view text, size_t width, size_t indent);

// 1234567 → "1,234,567"
[[nodiscard]] std::string grouped(uint64_t number);
// counted(1, "ban") → "1 ban", counted(2000, "ban") → "2,000 bans"
[[nodiscard]] std::string counted(uint64_t number, std::string_view noun);

// "2025-01-11T17:30:41Z", as the API writes times.
[[nodiscard]] Result<WallTime> parse_utc(std::string_view text);
// "in 23h 12m", "5m ago", "now"; "never" for the epoch, "without end" for the maximum.
[[nodiscard]] std::string relative(WallTime time, WallTime now);
// "2025-01-12 00:30:41 (in 23h 12m)", in local time.
[[nodiscard]] std::string local_and_relative(WallTime time, WallTime now);

}  // namespace palang
