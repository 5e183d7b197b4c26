#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace palang {

// An IPv4 or IPv6 address. IPv4 is held as its v4-mapped form (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so one type,
// one order and one prefix arithmetic serve both; v4-mapped input is IPv4.
class Address {
 public:
  constexpr Address() = default;

  [[nodiscard]] static constexpr Address v4(uint32_t host_order) { return {0, v4_tag | host_order}; }
  [[nodiscard]] static constexpr Address from_words(uint64_t high, uint64_t low) { return {high, low}; }
  [[nodiscard]] static Address from_bytes(const std::array<uint8_t, 16>& network_order);
  // Dotted quad or any RFC 4291 text form; no zone, no port, no brackets, no leading zeros in IPv4.
  [[nodiscard]] static Result<Address> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const { return high_ == 0 && (low_ >> 32) == 0xffff; }
  [[nodiscard]] constexpr uint32_t v4_bits() const { return static_cast<uint32_t>(low_); }
  [[nodiscard]] constexpr uint64_t high() const { return high_; }
  [[nodiscard]] constexpr uint64_t low() const { return low_; }
  [[nodiscard]] std::array<uint8_t, 16> bytes() const;  // network order, v4 in its mapped form

  [[nodiscard]] bool is_loopback() const;
  // Could have come from outside as a source: not unspecified, multicast, broadcast or 0.0.0.0/8.
  [[nodiscard]] bool is_unicast() const;

  [[nodiscard]] std::string text() const;  // RFC 5952

  friend constexpr auto operator<=>(const Address&, const Address&) = default;

 private:
  constexpr Address(uint64_t high, uint64_t low) : high_(high), low_(low) {}
  static constexpr uint64_t v4_tag = 0xffff'0000'0000;

  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

[[nodiscard]] inline uint64_t hash_key(HashSeed seed, const Address& address) {
  return hash_words(seed, address.high(), address.low());
}

}  // namespace palang
