#include "net/address_text.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/byte_finder.hpp"

namespace palang {
namespace {

static_assert(std::endian::native == std::endian::little, "read_octet() takes digits out of words");

constexpr size_t shortest_quad = 7;  // 1.2.3.4
constexpr size_t longest_quad = 15;

// The octet that begins at `text` (four readable bytes) and has one to three digits; over 255 if they say more.
uint32_t read_octet(const char* text, size_t digits) {
  constexpr uint32_t weights = 100 << 16 | 10 << 8 | 1;  // of three digits that lie in this order
  uint32_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  const uint32_t value = (bytes & 0x0f0f0f0fU) << (32 - 8 * digits) >> 8;  // the last digit is the third byte
  const uint32_t highest_first = __builtin_bswap32(value) >> 8;
  constexpr uint32_t largest = 0x020505;
  return highest_first > largest ? 256 : value * weights >> 16 & 255;
}

// `text`: 16 bytes, and four more, of which `length` count. No branch depends on the lengths of the octets: those of
// strangers' addresses can't be predicted.
std::optional<Address> read_dotted_quad(const char* text, size_t length) {
  const uint32_t all = (1U << length) - 1;
  uint32_t dots = matches_of_16(text, '.') & all;
  const uint32_t digits = digits_of_16(text) & all;
  const uint32_t starts = (dots << 1 | 1) & all;
  const uint32_t runs_of_four = digits & digits >> 1 & digits >> 2 & digits >> 3;
  const uint32_t leading_zeros = matches_of_16(text, '0') & starts & digits >> 1;  // octal to some
  const bool ends_well = (digits >> (length - 1) & 1) != 0;
  if ((dots | digits) != all || (starts & ~digits) != 0 || runs_of_four != 0 || leading_zeros != 0 || !ends_well)
    return {};
  dots |= 1U << length;
  uint32_t bits = 0;
  uint32_t too_large = 0;
  size_t begin = 0;
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    if (dots == 0) return {};
    const auto end = static_cast<size_t>(std::countr_zero(dots));
    dots &= dots - 1;
    const uint32_t octet = read_octet(text + begin, end - begin);
    too_large |= octet;
    bits = bits << 8 | (octet & 255);
    begin = end + 1;
  }
  if (dots != 0 || too_large > 255) return {};
  return Address::v4(bits);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr size_t full_v6_length = 39;  // 2001:0db8:0000:0000:0000:0000:0000:0015

std::optional<Address> read_full_v6(std::string_view text) {
  uint64_t words[2] = {0, 0};
  for (size_t i = 0; i < full_v6_length; ++i) {
    if (i % 5 == 4) {
      if (text[i] != ':') return {};
      continue;
    }
    const int digit = hex_digit(text[i]);
    if (digit < 0) return {};
    uint64_t& word = words[i / 20];
    word = word << 4 | static_cast<uint64_t>(digit);
  }
  return Address::from_words(words[0], words[1]);
}

}  // namespace

std::optional<Address> read_address(std::string_view text, const char* line_end) {
  if (text.size() >= shortest_quad && text.size() <= longest_quad) {
    constexpr size_t loaded = 16 + 4;
    char copy[loaded] = {};
    const bool fits = line_end - text.data() >= static_cast<std::ptrdiff_t>(loaded);
    if (!fits) std::memcpy(copy, text.data(), text.size());
    if (const auto address = read_dotted_quad(fits ? text.data() : copy, text.size())) return address;
  }
  if (text.size() == full_v6_length)
    if (const auto address = read_full_v6(text)) return address;
  const auto address = Address::parse(text);
  if (!address) return {};
  return *address;
}

}  // namespace palang
