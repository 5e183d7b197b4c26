#include "net/address_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/byte_finder.hpp"

namespace palang {
namespace {

static_assert(std::endian::native == std::endian::little, "read_dotted_quad() takes digits out of words");

constexpr size_t shortest_quad = 7;  // 1.2.3.4
constexpr size_t longest_quad = 15;

// What an octet of so many digits must look like, its digits taken as the bytes of a number, highest first.
struct OctetForm {
  uint32_t mask;      // where its digits lie in the four bytes that end with it
  uint32_t smallest;  // one less begins with a zero (octal to some), or with none of the digits
};
constexpr std::array<OctetForm, 4> octet_forms{
    {{0, ~0U}, {0xff000000, 0}, {0xffff0000, 0x0100}, {0xffffff00, 0x010000}}};
constexpr uint32_t largest_octet = 0x020505;

// `text`: 16 bytes of which `length` count, and four more before them, of any value. No branch depends on the lengths
// of the octets: those of strangers' addresses can't be predicted.
std::optional<Address> read_dotted_quad(const char* text, size_t length) {
  constexpr uint32_t high_bits = 0x80808080;
  constexpr uint32_t up_from_ten = 0x76767676;           // added to a byte over 9, it sets the high bit
  constexpr uint32_t weights = 100 << 16 | 10 << 8 | 1;  // of three digits that lie in this order
  uint32_t ends = (matches_of_16(text, '.') & ((1U << length) - 1)) | 1U << length;
  uint32_t bits = 0;
  uint32_t faults = 0;
  size_t begin = 0;
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    if (ends == 0) return {};
    const auto end = static_cast<size_t>(std::countr_zero(ends));
    ends &= ends - 1;
    const size_t digits = std::min<size_t>(end - begin, 4) & 3;
    uint32_t bytes = 0;
    std::memcpy(&bytes, text + end - 4, sizeof bytes);
    const uint32_t value = (bytes ^ 0x30303030U) & octet_forms[digits].mask;
    const uint32_t number = __builtin_bswap32(value);
    faults |= (value | (value + up_from_ten)) & high_bits;
    faults |=
        static_cast<uint32_t>(number < octet_forms[digits].smallest) | static_cast<uint32_t>(number > largest_octet);
    bits = bits << 8 | ((value >> 8) * weights >> 16 & 255);
    begin = end + 1;
  }
  if (ends != 0 || faults != 0) return {};
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
    char copy[4 + 16] = {};
    if (line_end - text.data() >= 16) {
      std::memcpy(copy + 4, text.data(), 16);
    } else {
      std::memcpy(copy + 4, text.data(), text.size());
    }
    if (const auto address = read_dotted_quad(copy + 4, text.size())) return address;
  }
  if (text.size() == full_v6_length)
    if (const auto address = read_full_v6(text)) return address;
  const auto address = Address::parse(text);
  if (!address) return {};
  return *address;
}

}  // namespace palang
