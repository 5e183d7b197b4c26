#include "net/address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace palang {
namespace {

// inet_pton wants a terminated string; the longest text form has 45 characters.
constexpr size_t longest_text = 45;

}  // namespace

Address Address::from_bytes(const std::array<uint8_t, 16>& network_order) {
  uint64_t high = 0;
  uint64_t low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8 | network_order[i];
    low = low << 8 | network_order[8 + i];
  }
  return {high, low};
}

std::array<uint8_t, 16> Address::bytes() const {
  std::array<uint8_t, 16> out{};
  for (size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<uint8_t>(high_ >> (56 - 8 * i));
    out[8 + i] = static_cast<uint8_t>(low_ >> (56 - 8 * i));
  }
  return out;
}

Result<Address> Address::parse(std::string_view text) {
  std::array<char, longest_text + 1> terminated{};
  // An embedded NUL would hide what follows it from inet_pton.
  if (text.size() <= longest_text && text.find('\0') == std::string_view::npos) {
    text.copy(terminated.data(), text.size());
    in_addr four{};
    if (inet_pton(AF_INET, terminated.data(), &four) == 1) return v4(ntohl(four.s_addr));
    in6_addr six{};
    if (inet_pton(AF_INET6, terminated.data(), &six) == 1) {
      std::array<uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &six, bytes.size());
      return from_bytes(bytes);
    }
  }
  return Failure(Error::usage("'" + std::string(text.substr(0, 64)) + "' is not an IPv4 or IPv6 address"));
}

bool Address::is_loopback() const {
  if (is_v4()) return v4_bits() >> 24 == 127;
  return high_ == 0 && low_ == 1;
}

bool Address::is_unicast() const {
  if (is_v4()) {
    const uint32_t first = v4_bits() >> 24;
    return first != 0 && first < 224;
  }
  const bool unspecified = high_ == 0 && low_ == 0;
  const bool multicast = high_ >> 56 == 0xff;
  return !unspecified && !multicast;
}

std::string Address::text() const {
  std::array<char, longest_text + 1> out{};
  if (is_v4()) {
    const in_addr four{htonl(v4_bits())};
    inet_ntop(AF_INET, &four, out.data(), out.size());
  } else {
    const auto octets = bytes();
    inet_ntop(AF_INET6, octets.data(), out.data(), out.size());
  }
  return out.data();
}

}  // namespace palang
