#include "engine/simulation.hpp"

#include <algorithm>
#include <cmath>

namespace palang {
namespace {

constexpr uint8_t v6_site = 64;  // bits: what one subscriber gets (RFC 6177)

}  // namespace

Simulation::Simulation(std::string name, const PolicySettings& policy, HashSeed seed)
    : name_(std::move(name)),
      idle_(!policy.detect.blocked.enabled && !policy.detect.portscan.enabled && policy.rules.empty()),
      judge_(policy, seed, Decider::Looks::none),
      coverage_(seed) {}

void Simulation::observe(const Event& event, WallTime now, Judge::Hint& hint) {
  if (!begun_) {
    begun_ = true;
    first_ = accounted_ = now;
  }
  Decider& decider = judge_.decider();
  if (!decider.active().rests(now)) decider.advance(now, changes_, looks_);
  judge_.observe(event, now, changes_, hint);
  if (changes_.empty()) return;
  for (const Change& change : changes_) account(change);
  changes_.clear();
}

void Simulation::prefetch_decision(const Address& source, const Judge::Hint& hint) const {
  const Decider& decider = judge_.decider();
  decider.active().prefetch_decision(hint);
  decider.prefetch_index(source);
  if (!decider.active().knows(hint)) coverage_.prefetch_index(source);
}

void Simulation::prefetch_network(const Address& source, const Judge::Hint& hint) const {
  const Decider& decider = judge_.decider();
  decider.prefetch_entry(source);
  if (!decider.active().knows(hint)) coverage_.prefetch_entry(source);
}

void Simulation::account(const Change& change) {
  if (change.kind == ChangeKind::moved) return;
  pass_time(change.at);
  if (change.kind == ChangeKind::added) {
    const auto id = static_cast<size_t>(change.decision.rule);
    if (bans_by_rule_.size() <= id) bans_by_rule_.resize(id + 1);
    ++bans_by_rule_[id];
    // A subject whose earlier decision is remembered was covered by that one.
    if (change.decision.repeat == 0) coverage_.add(change.decision.prefix);
    result_.list_peak = std::max(result_.list_peak, ++active_);
  } else {
    --active_;
  }
}

void Simulation::pass_time(WallTime now) {
  if (now <= accounted_) return;
  active_time_ += static_cast<double>(active_) * static_cast<double>((now - accounted_).count());
  accounted_ = now;
}

SimulationResult Simulation::finish(WallTime last) {
  judge_.decider().advance(last, changes_, looks_);
  for (const Change& change : changes_) account(change);
  changes_.clear();
  pass_time(last);
  const auto span = static_cast<double>((last - first_).count());
  result_.name = name_;
  result_.stopped = judge_.count(Verdict::stopped);
  result_.list_mean = span > 0 ? active_time_ / span : static_cast<double>(active_);
  result_.covered = coverage_.total();
  return result_;
}

void Simulation::Coverage::add(const Prefix& prefix) {
  constexpr unsigned v4_network = 24;
  if (prefix.is_v4()) {
    if (prefix.length() >= v4_network) return add_in_network(prefix);
    const uint64_t networks = uint64_t{1} << (v4_network - prefix.length());
    for (uint64_t i = 0; i < networks; ++i) {
      const uint64_t low = prefix.address().low() + (i << 8);
      add_in_network(Prefix::of_length(Address::from_words(0, low), v4_network));
    }
    return;
  }
  sites_.find_or_insert(prefix.bits() > v6_site ? Prefix::around(prefix.address(), v6_site) : prefix);
}

double Simulation::Coverage::total() const {
  auto total = static_cast<double>(v4_addresses_);
  sites_.for_each([&](const Prefix& site, const Nothing&) {
    const auto wider = Prefix::around(site.address(), static_cast<uint8_t>(site.bits() - 1));
    const bool counted = sites_.find_covering(wider, [](const Nothing&) { return true; }) != PrefixMap<Nothing>::none;
    if (!counted) total += std::exp2(v6_site - site.bits());
  });
  return total;
}

void Simulation::Coverage::add_in_network(const Prefix& prefix) {
  constexpr size_t network_size = 256;
  const auto [slot, is_new] = networks_.find_or_insert(Prefix::of_length(prefix.address(), 24));
  auto& covered = networks_.value(slot);
  if (prefix.length() == 24) {
    v4_addresses_ += network_size - (is_new ? 0 : covered.count());
    covered.set();
    return;
  }
  const size_t first = prefix.address().v4_bits() & (network_size - 1);
  const size_t addresses = size_t{1} << (128 - prefix.bits());
  for (size_t host = first; host < first + addresses; ++host) {
    if (!covered[host]) ++v4_addresses_;
    covered.set(host);
  }
}

}  // namespace palang
