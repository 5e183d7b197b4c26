#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

#include "base/error.hpp"

namespace palang {

using Bytes = std::span<const std::byte>;

// The struct at the begin of `bytes`, copied out (netlink data is aligned to 4 bytes only).
template <typename Struct>
[[nodiscard]] std::optional<Struct> read_struct(Bytes bytes) {
  if (bytes.size() < sizeof(Struct)) return std::nullopt;
  Struct value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// What comes after the first `length` bytes: netlink begins everything at a multiple of 4 bytes.
[[nodiscard]] Bytes behind(Bytes bytes, size_t length);

// Calls `use` with type and content of each attribute (struct rtattr); stops at a broken one.
void for_each_attribute(Bytes attributes, const std::function<void(uint16_t type, Bytes content)>& use);

// Asks the kernel for a dump. `request` is what follows the nlmsghdr; `use` gets the payload of each message of the
// answer and returns false to hear no more. The answer of a kernel whose tables change meanwhile may miss entries.
[[nodiscard]] Result<void> netlink_dump(int netlink_family, uint16_t message_type, Bytes request,
                                        const std::function<bool(Bytes payload)>& use);

}  // namespace palang
