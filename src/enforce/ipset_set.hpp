#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "enforce/set_name.hpp"
#include "net/prefix.hpp"

namespace palang {

// One of our ipsets. They are always all there, so that the rules that name them never change: per role and family one
// for single addresses (hash:ip) and one for networks (hash:net), for what is allowed one for both; and two for ports.
struct IpsetSet {
  Role role = Role::full;
  bool v4 = true;         // of no meaning for ports
  bool networks = false;  // of no meaning for ports

  [[nodiscard]] bool holds_ports() const { return role == Role::open_tcp || role == Role::open_udp; }
  [[nodiscard]] bool holds_bans() const { return role == Role::full || role == Role::quiet; }
  [[nodiscard]] std::string name() const;            // "palang-quiet4-net"
  [[nodiscard]] std::string successor_name() const;  // of the one that is filled to take its place
  [[nodiscard]] static IpsetSet of(Role role, const Prefix& prefix);
  friend constexpr bool operator==(const IpsetSet&, const IpsetSet&) = default;
};

[[nodiscard]] std::span<const IpsetSet> ipset_sets();
[[nodiscard]] std::optional<IpsetSet> ipset_named(std::string_view name);

// What a set holds: a prefix, or a port.
struct IpsetEntry {
  Prefix prefix;
  uint16_t port = 0;
  WallTime until = WallTime::max();  // max: without end
  uint64_t packets = 0;              // as the kernel tells; never written
};

// ipset holds no network of length 0: its two halves take its place.
[[nodiscard]] std::vector<Prefix> ipset_prefixes(const Prefix& prefix);

// ipset counts in seconds, in 32 bits of milliseconds: longer bans are told as this long and told anew in time.
inline constexpr std::chrono::seconds longest_ipset_timeout{2'147'483};

// At least 1; 0 for "without end".
[[nodiscard]] uint32_t ipset_timeout(WallTime until, WallTime now);
// Whether the kernel need not be told `want` where it has `held`.
[[nodiscard]] bool same_ipset_end(WallTime want, WallTime held, WallTime now);

}  // namespace palang
