#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/firewall_settings.hpp"

namespace palang {

// Parts of rules as nft spells them.

// "80", "{ 80, 2000-2100 }"; overlapping spans are merged, since nft refuses them.
[[nodiscard]] std::string nft_ports(const PortSpans& ports);

// "30/minute burst 5 packets". A rate over a span that nft has no word for becomes the same rate over one that it has.
[[nodiscard]] std::string nft_rate(const Rate& rate, uint32_t least_burst = 1);

// After this time without a packet a bucket of this rate is full, and need not be remembered.
[[nodiscard]] Duration bucket_memory(const Rate& rate);

// "90s": as nft reads a time.
[[nodiscard]] std::string nft_timeout(Duration duration);

[[nodiscard]] std::string_view nft_protocol(FirewallProtocol protocol);  // "tcp", "udp"

// The word for one side of IPv4 or IPv6: "ip saddr", "ip6 daddr".
[[nodiscard]] std::string nft_side(bool v4, bool source);
// The same, cut to so many bits: "ip saddr & 255.255.255.0".
[[nodiscard]] std::string nft_network(bool v4, bool source, unsigned length);
// One source, as limits count: an IPv4 address or an IPv6 /64.
[[nodiscard]] std::string nft_counted(bool v4, bool source);

// Joined by blanks; empty words are left out.
[[nodiscard]] std::string words(std::span<const std::string> parts);

}  // namespace palang
