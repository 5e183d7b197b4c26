// What the program knows besides bans: who is allowed, which ports are open or heard, which addresses are its own.
#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

#include "enforce/xdp_enforcer.hpp"

namespace palang {
namespace {

constexpr uint32_t close_enough = 2;  // units of the clock

palang_allow_key allow_key(const Prefix& prefix) {
  palang_allow_key key{};
  key.length = prefix.bits();
  const auto bytes = prefix.address().bytes();
  std::memcpy(key.address, bytes.data(), bytes.size());
  return key;
}

Prefix allowed_prefix(const palang_allow_key& key) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), key.address, bytes.size());
  return Prefix::around(Address::from_bytes(bytes), static_cast<uint8_t>(key.length));
}

template <typename Key, typename Visit>
void for_each_key(int map, Visit&& visit) {
  std::vector<Key> keys;
  Key next{};
  for (const Key* from = nullptr; bpf_map_get_next_key(map, from, &next) == 0; from = &keys.back())
    keys.push_back(next);
  for (const Key& key : keys) visit(key);
}

std::map<Prefix, uint32_t> present_allowed(int map) {
  std::map<Prefix, uint32_t> present;
  for_each_key<palang_allow_key>(map, [&](const palang_allow_key& key) {
    uint32_t end = 0;
    if (bpf_map_lookup_elem(map, &key, &end) == 0) present[allowed_prefix(key)] = end;
  });
  return present;
}

// The trie answers the longest prefix alone, so an entry within a wider one must not end earlier.
std::map<Prefix, uint32_t> ends_of(std::span<const Allowed> allowed, const XdpClock::Reading& clock) {
  std::map<Prefix, uint32_t> ends;
  for (const Allowed& entry : allowed) {
    const uint32_t end = clock.end_at(entry.until);
    if (end > clock.units()) ends[entry.prefix] = std::max(ends[entry.prefix], end);
  }
  for (auto& [prefix, end] : ends)
    for (const auto& [other, later] : ends)
      if (later > end && other.contains(prefix)) end = later;
  return ends;
}

void hint_at(palang_allow_hint& hint, const Prefix& prefix) {
  if (!prefix.is_v4() && !prefix.contains(Address::v4(0))) return;
  const uint32_t first = prefix.is_v4() ? prefix.address().v4_bits() >> 16 : 0;
  const uint32_t last = prefix.is_v4() && prefix.length() >= 16 ? first
                        : prefix.is_v4()                        ? first | ((1U << (16 - prefix.length())) - 1)
                                                                : 0xffff;
  for (uint32_t bit = first; bit <= last; ++bit)
    std::atomic_ref(hint.bits[bit / 64]).fetch_or(uint64_t{1} << (bit % 64));
}

void write_port_set(palang_port_set& memory, const PortSet& ports) {
  std::array<uint64_t, 65536 / 64> bits{};
  for (const uint16_t port : ports.list()) bits[port / 64] |= uint64_t{1} << (port % 64);
  for (size_t i = 0; i < bits.size(); ++i)
    std::atomic_ref<__u64>(memory.bits[i]).store(bits[i], std::memory_order_relaxed);
}

// Of IPv4, 0 if there is none. A guess, which costs a lookup where it is wrong.
uint32_t likely_destination(const std::vector<Address>& own) {
  const auto loopback = Prefix::of_length(Address::v4(0x7f000000), 8);
  for (const Address& address : own)
    if (address.is_v4() && !loopback.contains(address)) return address.v4_bits();
  return 0;
}

PortSet both(PortSet ports, const PortSet& more) {
  for (const uint16_t port : more.list()) ports.add(port);
  return ports;
}

}  // namespace

Result<void> XdpEnforcer::reconcile_allowed(std::span<const Allowed> allowed, const XdpClock::Reading& clock,
                                            ReconcileReport& report) {
  const int map = program_.map("allow");
  auto& hint = *allow_hint_.as<palang_allow_hint>();
  const auto wanted = ends_of(allowed, clock);
  const auto present = present_allowed(map);
  // Bits are added before and taken away after what they stand for.
  for (const auto& [prefix, end] : wanted) hint_at(hint, prefix);
  for (const auto& [prefix, end] : wanted) {
    const palang_allow_key key = allow_key(prefix);
    // A lookup would answer a wider one, too.
    const auto known = present.find(prefix);
    if (known == present.end()) {
      ++report.added;
    } else {
      const uint32_t difference = known->second > end ? known->second - end : end - known->second;
      if (difference <= close_enough) continue;
      ++report.refreshed;
    }
    if (bpf_map_update_elem(map, &key, &end, BPF_ANY) != 0) return fail_os("allow", prefix.text(), errno);
  }
  for (const auto& [prefix, end] : present) {
    if (wanted.contains(prefix)) continue;
    const palang_allow_key key = allow_key(prefix);
    if (bpf_map_delete_elem(map, &key) != 0 && errno != ENOENT) return fail_os("disallow", prefix.text(), errno);
    ++report.removed;
  }
  palang_allow_hint exact{};
  for (const auto& [prefix, end] : wanted) hint_at(exact, prefix);
  for (size_t i = 0; i < std::size(exact.bits); ++i)
    std::atomic_ref(hint.bits[i]).store(exact.bits[i], std::memory_order_relaxed);
  return {};
}

void XdpEnforcer::write_ports() {
  auto* const sets = ports_.as<palang_port_set>();
  write_port_set(sets[PALANG_OPEN_TCP], open_.tcp);
  write_port_set(sets[PALANG_OPEN_UDP], open_.udp);
  write_port_set(sets[PALANG_HEARD_TCP], both(watch_.heard_tcp, open_.tcp));
  write_port_set(sets[PALANG_HEARD_UDP], both(watch_.heard_udp, open_.udp));
  write_port_set(sets[PALANG_DECOY_TCP], watch_.decoys);
}

Result<void> XdpEnforcer::watch(const XdpWatch& watch) {
  watch_ = watch;
  write_ports();
  palang_settings& settings = table_.settings();
  settings.trip_after = std::max(watch.after, 1U);
  settings.trip_units = std::clamp(clock_.units_of(watch.within), 1U, 65'535U);
  settings.trip_ban_units = std::max(clock_.units_of(watch.ban), 1U);
  settings.trip_knock = quiet_moves_ ? 1 : 0;
  settings.trips_per_second = watch.trips_per_second;
  settings.answers_per_second = watch.answers_per_second;
  settings.bans_per_second = watch.bans_per_second;
  settings.bans_per_network = watch.bans_per_network;
  settings.decoys_per_second = watch.decoys_per_second;
  if (watch.own)
    if (auto done = reconcile_own(*watch.own); !done) return done;
  settings.own4 = watch.own ? likely_destination(*watch.own) : 0;
  uint32_t flags = 0;
  if (watch.tripwire) flags |= PALANG_TRIPWIRE;
  if (!watch.decoys.list().empty()) flags |= PALANG_DECOYS;
  if (watch.own) flags |= PALANG_KNOWS_OWN;
  std::atomic_ref(settings.flags).store(flags);
  return {};
}

Result<void> XdpEnforcer::reconcile_own(const std::vector<Address>& own) {
  const int map = program_.map("own");
  const std::set<Address> wanted(own.begin(), own.end());
  const uint32_t one = 1;
  for (const Address& address : wanted) {
    const palang_source key{address.high(), address.low()};
    if (bpf_map_update_elem(map, &key, &one, BPF_ANY) != 0) return fail_os("note the address", address.text(), errno);
  }
  for_each_key<palang_source>(map, [&](const palang_source& key) {
    if (!wanted.contains(Address::from_words(key.high, key.low))) (void)bpf_map_delete_elem(map, &key);
  });
  return {};
}

}  // namespace palang
