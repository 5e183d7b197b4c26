#pragma once

#include <optional>
#include <string_view>

#include "net/address.hpp"

namespace palang {

// Address::parse without words for what is wrong; fast for the spellings that logs mostly have: dotted quad, and IPv6
// as the kernel writes it, eight groups of four digits. `line_end`: how far the memory behind the text may be loaded;
// it doesn't change the answer.
[[nodiscard]] std::optional<Address> read_address(std::string_view text, const char* line_end);
[[nodiscard]] inline std::optional<Address> read_address(std::string_view text) {
  return read_address(text, text.data() + text.size());
}

}  // namespace palang
