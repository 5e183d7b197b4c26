#pragma once

#include <span>
#include <string>
#include <string_view>

namespace palang {

// Control characters and bytes over 0x7e become \xNN, so that text of a stranger can't steer a terminal or forge a
// line.
[[nodiscard]] std::string escape_controls(std::string_view text);

[[nodiscard]] std::string_view trim(std::string_view text);

// The candidate with the smallest edit distance to `word`, or "" if none is near (more than a third of it differs).
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace palang
