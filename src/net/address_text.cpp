#include "net/address_text.hpp"

namespace palang {
namespace {

// One decimal octet at `at`, which moves behind it; -1 if there is none, or one with a leading zero (octal to some).
int read_octet(const char*& at, const char* end) {
  const char* begin = at;
  unsigned octet = 0;
  for (unsigned digit = 0; at != end && (digit = static_cast<unsigned>(*at - '0')) <= 9; ++at)
    octet = octet * 10 + digit;
  const auto digits = at - begin;
  const bool padded = digits > 1 && *begin == '0';
  return digits == 0 || digits > 3 || octet > 255 || padded ? -1 : static_cast<int>(octet);
}

std::optional<Address> read_dotted_quad(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return {};
    const int octet = read_octet(at, end);
    if (octet < 0) return {};
    bits = bits << 8 | static_cast<uint32_t>(octet);
  }
  if (at != end) return {};
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

std::optional<Address> read_address(std::string_view text) {
  if (const auto address = read_dotted_quad(text)) return address;
  if (text.size() == full_v6_length)
    if (const auto address = read_full_v6(text)) return address;
  const auto address = Address::parse(text);
  if (!address) return {};
  return *address;
}

}  // namespace palang
