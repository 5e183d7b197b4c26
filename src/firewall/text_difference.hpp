#pragma once

#include <string>
#include <string_view>

namespace palang {

// The lines that differ, "- " for those of `was`, "+ " for those of `is`, with two lines around them, and the chain
// they stand in. "" for none.
[[nodiscard]] std::string text_difference(std::string_view was, std::string_view is);

// A policy's text without its generation, and with the number of elements in the place of many: as two of them are
// compared.
[[nodiscard]] std::string comparable_policy(std::string_view text);

}  // namespace palang
