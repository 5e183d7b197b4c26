#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/address.hpp"

namespace palang {

// A CIDR prefix. `bits` counts from the top of the 128-bit form, so an IPv4 /24 has 120 bits and length() 24.
class Prefix {
 public:
  constexpr Prefix() = default;

  // The address itself: /32 or /128.
  [[nodiscard]] static constexpr Prefix of(const Address& address) { return {address, 128}; }
  // The prefix of `bits` (128-bit scale) that holds `address`; host bits are cleared.
  [[nodiscard]] static constexpr Prefix around(const Address& address, uint8_t bits) {
    return {Address::from_words(address.high() & high_mask(bits), address.low() & low_mask(bits)), bits};
  }
  // As around(), with the length as people write it for the address's family (24, 64).
  [[nodiscard]] static constexpr Prefix of_length(const Address& address, unsigned length) {
    return around(address, static_cast<uint8_t>(address.is_v4() ? length + 96 : length));
  }
  // "192.0.2.0/24", "2001:db8::/64", or an address alone. Host bits set is an error that names the right spelling.
  [[nodiscard]] static Result<Prefix> parse(std::string_view text);

  [[nodiscard]] constexpr const Address& address() const { return address_; }
  [[nodiscard]] constexpr uint8_t bits() const { return bits_; }
  [[nodiscard]] constexpr bool is_v4() const { return bits_ >= 96 && address_.is_v4(); }
  [[nodiscard]] constexpr unsigned length() const { return is_v4() ? bits_ - 96U : bits_; }
  [[nodiscard]] constexpr bool is_single() const { return bits_ == 128; }

  [[nodiscard]] constexpr bool contains(const Address& address) const {
    return around(address, bits_).address_ == address_;
  }
  [[nodiscard]] constexpr bool contains(const Prefix& other) const {
    return other.bits_ >= bits_ && contains(other.address_);
  }
  [[nodiscard]] constexpr bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }

  // "192.0.2.0/24"; a single address without its length.
  [[nodiscard]] std::string text() const;

  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  constexpr Prefix(const Address& address, uint8_t bits) : address_(address), bits_(bits) {}
  [[nodiscard]] static constexpr uint64_t high_mask(uint8_t bits) {
    if (bits >= 64) return ~uint64_t{0};
    return bits == 0 ? 0 : ~uint64_t{0} << (64 - bits);
  }
  [[nodiscard]] static constexpr uint64_t low_mask(uint8_t bits) {
    if (bits <= 64) return 0;
    return bits >= 128 ? ~uint64_t{0} : ~uint64_t{0} << (128 - bits);
  }

  Address address_;
  uint8_t bits_ = 128;
};

[[nodiscard]] inline uint64_t hash_key(HashSeed seed, const Prefix& prefix) {
  seed.a += prefix.bits();
  return hash_words(seed, prefix.address().high(), prefix.address().low());
}

}  // namespace palang
