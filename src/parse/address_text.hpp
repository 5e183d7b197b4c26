#pragma once

#include <optional>
#include <string_view>

#include "net/address.hpp"

namespace palang {

// The two spellings the kernel itself writes: dotted quad, and IPv6 as eight groups of four digits. Much faster than
// Address::parse, to which everything else falls back.
[[nodiscard]] std::optional<Address> read_kernel_address(std::string_view text);

}  // namespace palang
