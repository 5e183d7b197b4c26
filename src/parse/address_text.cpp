#include "parse/address_text.hpp"

namespace palang {
namespace {

std::optional<Address> read_dotted_quad(std::string_view text) {
  uint32_t bits = 0;
  uint32_t octet = 0;
  int digits = 0;
  int dots = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      if (digits > 0 && octet == 0) return {};  // leading zero: octal to some
      octet = octet * 10 + static_cast<uint32_t>(c - '0');
      if (++digits > 3 || octet > 255) return {};
    } else if (c == '.' && digits > 0 && dots < 3) {
      bits = bits << 8 | octet;
      octet = 0;
      digits = 0;
      ++dots;
    } else {
      return {};
    }
  }
  if (dots != 3 || digits == 0) return {};
  return Address::v4(bits << 8 | octet);
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

std::optional<Address> read_kernel_address(std::string_view text) {
  if (text.size() <= 15 && text.find(':') == std::string_view::npos) return read_dotted_quad(text);
  if (text.size() == full_v6_length)
    if (const auto address = read_full_v6(text)) return address;
  const auto address = Address::parse(text);
  if (!address) return {};
  return *address;
}

}  // namespace palang
