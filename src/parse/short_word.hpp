#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace palang {

// Short pieces of log lines are read eight bytes at a time, as one number: a loop over their characters would end
// where the processor doesn't expect it. Little-endian, like the masks.
static_assert(std::endian::native == std::endian::little);

[[nodiscard]] constexpr uint64_t eight_times(char c) {
  return 0x0101010101010101U * static_cast<unsigned char>(c);
}

[[nodiscard]] inline uint64_t load_eight(const char* at) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// The value of up to eight decimal digits, the first of which is the lowest byte; nothing if one of them is none.
// The bytes above `count` don't matter. After "Quickly parsing eight digits" by Daniel Lemire.
[[nodiscard]] inline std::optional<uint32_t> number_of_digits(uint64_t bytes, unsigned count) {
  if (count == 0) return {};
  const uint64_t digits = (bytes ^ eight_times('0')) << (64 - 8 * count);
  if (((digits | (digits + eight_times(0x80 - 10))) & eight_times('\x80')) != 0) return {};
  const uint64_t pairs = digits * 10 + (digits >> 8);
  constexpr uint64_t even = 0x000000ff000000ff;
  const uint64_t upper = (pairs & even) * (100 + (uint64_t{1'000'000} << 32));
  const uint64_t lower = (pairs >> 16 & even) * (1 + (uint64_t{10'000} << 32));
  return static_cast<uint32_t>((upper + lower) >> 32);
}

// How many of the eight characters stand before the first space; 8 if there is none.
[[nodiscard]] inline unsigned length_of_short_word(uint64_t bytes) {
  const uint64_t others = bytes ^ eight_times(' ');
  const uint64_t zeros = (others - eight_times(1)) & ~others & eight_times('\x80');
  return zeros == 0 ? 8 : static_cast<unsigned>(std::countr_zero(zeros)) / 8;
}

// Four characters as one number in this machine's byte order, so that a key is found with one comparison.
[[nodiscard]] consteval uint32_t word(const char (&text)[5]) {
  return std::bit_cast<uint32_t>(std::array<char, 4>{text[0], text[1], text[2], text[3]});
}

[[nodiscard]] inline uint32_t load_word(const char* at) {
  uint32_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}

}  // namespace palang
