#include "ledger/rows.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace palang {

namespace {

template <typename Number>
Number clamped(int64_t value) {
  static_assert(sizeof(Number) < sizeof(value));
  return static_cast<Number>(std::clamp<int64_t>(value, 0, std::numeric_limits<Number>::max()));
}

// The first of `values` is what an unknown name reads as.
template <typename Enum, size_t Count>
Enum named(std::string_view text, std::string_view (*name_of)(Enum), const Enum (&values)[Count]) {
  for (const Enum value : values)
    if (name_of(value) == text) return value;
  return values[0];
}

constexpr Protocol protocols[] = {Protocol::other, Protocol::tcp, Protocol::udp, Protocol::icmp, Protocol::icmp6};
constexpr Scope scopes[] = {Scope::quiet, Scope::full};
constexpr Origin origins[] = {Origin::local, Origin::manual, Origin::imported, Origin::feed, Origin::fleet};
constexpr Proof proofs[] = {Proof::forgeable, Proof::handshake, Proof::application};

template <typename Use>
bool split_numbers(std::string_view text, Use&& use) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int64_t value = 0;
    const auto [next, failure] = std::from_chars(at, end, value);
    if (failure != std::errc{}) return false;
    use(value);
    at = next != end && *next == ' ' ? next + 1 : next;
  }
  return true;
}

void append(std::string& list, int64_t value) {
  if (!list.empty()) list += ' ';
  list += std::to_string(value);
}

}  // namespace

std::optional<Decision> decision_of(const Statement& row) {
  const auto prefix = Prefix::parse(row.text(1));
  if (!prefix) return std::nullopt;
  Decision decision;
  decision.id = static_cast<uint64_t>(row.integer(0));
  decision.prefix = *prefix;
  decision.from = row.time(2);
  decision.until = row.time(3);
  decision.proven_at = row.time(4);
  decision.count = clamped<uint32_t>(row.integer(5));
  decision.port = clamped<uint16_t>(row.integer(6));
  decision.protocol = named(row.text(7), protocol_name, protocols);
  decision.rule = rule_named(row.text(8));
  decision.scope = named(row.text(9), scope_name, scopes);
  decision.origin = named(row.text(10), origin_name, origins);
  decision.proof = named(row.text(11), proof_name, proofs);
  decision.repeat = clamped<uint8_t>(row.integer(12));
  return decision;
}

std::optional<Evidence> evidence_of(const Statement& row) {
  const auto address = Address::parse(row.text(0));
  if (!address) return std::nullopt;
  return Evidence{row.time(1), *address, rule_named(row.text(2)), std::string(row.text(3))};
}

std::optional<Pending> pending_of(const Statement& row) {
  const auto subject = Prefix::parse(row.text(1));
  if (!subject) return std::nullopt;
  Pending pending{rule_named(row.text(0)), *subject, {}, {}};
  const bool times = split_numbers(row.text(2), [&](int64_t value) { pending.times.emplace_back(Duration{value}); });
  const bool values = split_numbers(row.text(3), [&](int64_t value) {
    pending.values.push_back(static_cast<uint64_t>(std::max<int64_t>(value, 0)));
  });
  // A detector relies on one value for each time, where it has values at all.
  const bool paired = pending.values.empty() || pending.values.size() == pending.times.size();
  if (!times || !values || !paired) return std::nullopt;
  return pending;
}

std::string join(const std::vector<WallTime>& times) {
  std::string list;
  for (const WallTime time : times) append(list, time.time_since_epoch().count());
  return list;
}

std::string join(const std::vector<uint64_t>& values) {
  std::string list;
  for (const uint64_t value : values) append(list, static_cast<int64_t>(value));
  return list;
}

NetworkRange network_range(const Prefix& prefix) {
  const Address& address = prefix.address();
  if (prefix.is_v4()) {
    const int64_t first = address.v4_bits();
    return {first, first + (int64_t{1} << (32 - prefix.length())) - 1};
  }
  constexpr uint64_t flip = uint64_t{1} << 63;
  const uint64_t hosts = prefix.bits() >= 64 ? 0 : ~uint64_t{0} >> prefix.bits();
  return {static_cast<int64_t>(address.high() ^ flip), static_cast<int64_t>((address.high() | hosts) ^ flip)};
}

}  // namespace palang
