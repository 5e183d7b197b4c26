#include "enforce/ipset_set.hpp"

#include <algorithm>

namespace palang {
namespace {

constexpr std::array<IpsetSet, 12> all_ipsets{{
    {Role::allow, true, true},
    {Role::allow, false, true},
    {Role::open_tcp, true, false},
    {Role::open_udp, true, false},
    {Role::full, true, false},
    {Role::full, true, true},
    {Role::full, false, false},
    {Role::full, false, true},
    {Role::quiet, true, false},
    {Role::quiet, true, true},
    {Role::quiet, false, false},
    {Role::quiet, false, true},
}};

// An end is told in whole seconds, rounded up, and read in whole seconds, rounded down.
constexpr Duration ipset_ends_equal_within = 2s;

}  // namespace

std::string IpsetSet::name() const {
  const std::string_view family = v4 ? "4" : "6";
  switch (role) {
    case Role::allow: return "palang-allow" + std::string(family);
    case Role::open_tcp: return "palang-open-tcp";
    case Role::open_udp: return "palang-open-udp";
    case Role::full: return "palang-full" + std::string(family) + (networks ? "-net" : "");
    case Role::quiet: return "palang-quiet" + std::string(family) + (networks ? "-net" : "");
  }
  return {};
}

std::string IpsetSet::successor_name() const {
  return name() + "-next";
}

IpsetSet IpsetSet::of(Role role, const Prefix& prefix) {
  const bool single = prefix.length() == (prefix.is_v4() ? 32U : 128U);
  return {role, prefix.is_v4(), role == Role::allow || !single};
}

std::span<const IpsetSet> ipset_sets() {
  return all_ipsets;
}

std::optional<IpsetSet> ipset_named(std::string_view name) {
  const auto found = std::ranges::find(all_ipsets, name, &IpsetSet::name);
  if (found == all_ipsets.end()) return {};
  return *found;
}

std::vector<Prefix> ipset_prefixes(const Prefix& prefix) {
  if (prefix.length() > 0) return {prefix};
  if (prefix.is_v4())
    return {Prefix::of_length(Address::v4(0), 1), Prefix::of_length(Address::v4(uint32_t{1} << 31), 1)};
  return {Prefix::of_length(Address::from_words(0, 0), 1),
          Prefix::of_length(Address::from_words(uint64_t{1} << 63, 0), 1)};
}

uint32_t ipset_timeout(WallTime until, WallTime now) {
  if (until == WallTime::max()) return 0;
  if (until <= now) return 1;
  const auto remaining = std::chrono::ceil<std::chrono::seconds>(until - now);
  return static_cast<uint32_t>(std::min(remaining, longest_ipset_timeout).count());
}

bool same_ipset_end(WallTime want, WallTime held, WallTime now) {
  if (want == held) return true;
  if (want == WallTime::max() || held == WallTime::max()) return false;
  if (want - now > longest_ipset_timeout) return held - now > longest_ipset_timeout / 2;
  return (want < held ? held - want : want - held) <= ipset_ends_equal_within;
}

}  // namespace palang
