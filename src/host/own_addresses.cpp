#include "host/own_addresses.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

namespace palang {
namespace {

std::optional<Address> address_of(const sockaddr* socket_address) {
  if (socket_address == nullptr) return std::nullopt;
  if (socket_address->sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, socket_address, sizeof four);
    return Address::v4(ntohl(four.sin_addr.s_addr));
  }
  if (socket_address->sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, socket_address, sizeof six);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return Address::from_bytes(bytes);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Prefix> loopback_prefixes() {
  return {Prefix::of_length(Address::v4(0x7f000000), 8), Prefix::of(Address::from_words(0, 1))};
}

Result<std::vector<Address>> own_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return fail_os("list", "own addresses", errno);
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  std::set<Address> addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    const auto address = address_of(entry->ifa_addr);
    if (address && !address->is_loopback()) addresses.insert(*address);
  }
  return std::vector<Address>(addresses.begin(), addresses.end());
}

}  // namespace palang
