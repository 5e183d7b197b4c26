#pragma once

#include <optional>
#include <string_view>

#include "net/address.hpp"

namespace palang {

// Address::parse without words for what is wrong; fast for the spellings that logs mostly have: dotted quad, and IPv6
// as the kernel writes it, eight groups of four digits.

[[nodiscard]] std::optional<Address> read_address(std::string_view text);

}  // namespace palang
