#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/decision.hpp"
#include "net/prefix.hpp"

namespace palang {

inline constexpr std::string_view table_name = "palang";

enum class Role : uint8_t { allow, full, quiet, open_tcp, open_udp };

// Names one set of our table: "quiet4_24", "allow6_128", "open_tcp". There is one per role, family and prefix length
// in use. A set that is replaced as a whole gets a successor of the next generation, "quiet4_24_1"; while that is being
// filled both exist, and the lower one is in force.
struct SetName {
  Role role = Role::full;
  bool v4 = true;      // of no meaning for ports
  uint8_t length = 0;  // as people write it for the family; 0 for ports
  uint32_t generation = 0;

  [[nodiscard]] static SetName of(Role role, const Prefix& prefix) {
    return {role, prefix.is_v4(), static_cast<uint8_t>(prefix.length()), 0};
  }
  [[nodiscard]] static std::optional<SetName> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool holds_ports() const { return role == Role::open_tcp || role == Role::open_udp; }
  [[nodiscard]] bool holds_bans() const { return role == Role::full || role == Role::quiet; }
  [[nodiscard]] uint8_t key_size() const { return holds_ports() ? 2 : v4 ? 4 : 16; }
  // The same set whatever its generation.
  [[nodiscard]] bool same_set(const SetName& other) const {
    return role == other.role && v4 == other.v4 && length == other.length;
  }
  [[nodiscard]] SetName successor() const { return {role, v4, length, generation + 1}; }

  friend constexpr auto operator<=>(const SetName&, const SetName&) = default;
};

// Chains and sets of the standing firewall, which live in the same table and are not ours to touch.
[[nodiscard]] inline bool is_of_firewall(std::string_view name) {
  return name.starts_with("fw_");
}

inline constexpr SetName open_tcp_set{Role::open_tcp};
inline constexpr SetName open_udp_set{Role::open_udp};

[[nodiscard]] inline Role role_of(Scope scope) {
  return scope == Scope::full ? Role::full : Role::quiet;
}

// One element; of the key, in network order, the first key_size() bytes count and the others are 0.
struct Element {
  std::array<uint8_t, 16> key{};
  WallTime until = WallTime::max();  // max: without end

  [[nodiscard]] static Element of(const Prefix& prefix, WallTime until);
  [[nodiscard]] static Element of_port(uint16_t port);
  [[nodiscard]] Prefix prefix(const SetName& set) const;  // not for ports
};

}  // namespace palang
