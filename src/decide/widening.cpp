#include "decide/widening.hpp"

#include <algorithm>

namespace palang {
namespace {

constexpr unsigned widest_v6 = 48;
constexpr unsigned v6_step = 8;

// The bits of a child that its network doesn't fix, the lowest 64 of them.
uint64_t host_bits_of(const Prefix& child, const Prefix& network) {
  return network.bits() >= 64 ? child.address().low() : child.address().high();
}

}  // namespace

std::optional<Prefix> Widening::parent_of(const Prefix& inner) const {
  const Address& address = inner.address();
  if (inner.is_v4()) {
    if (inner.length() <= settings_.to_v4) return {};
    return Prefix::of_length(address, settings_.to_v4);
  }
  if (inner.length() > settings_.to_v6) return Prefix::of_length(address, settings_.to_v6);
  if (inner.length() < widest_v6 + v6_step) return {};
  return Prefix::of_length(address, inner.length() - v6_step);
}

Prefix Widening::subject_for(const Address& offender, WallTime at) {
  Prefix subject = Prefix::of(offender);
  if (settings_.after == 0) return subject;
  if (settings_.after == 1) return parent_of(subject).value_or(subject);
  for (auto network = parent_of(subject); network && note(*network, subject, at); network = parent_of(subject))
    subject = *network;
  return subject;
}

Prefix Widening::would_be_subject(const Address& offender, WallTime at) const {
  Prefix subject = Prefix::of(offender);
  if (settings_.after == 0) return subject;
  if (settings_.after == 1) return parent_of(subject).value_or(subject);
  for (auto network = parent_of(subject); network && would_have_enough(*network, subject, at);
       network = parent_of(subject))
    subject = *network;
  return subject;
}

bool Widening::would_have_enough(const Prefix& network, const Prefix& child, WallTime at) const {
  const auto* children = networks_.get(network);
  if (children == nullptr) return false;
  const uint64_t host_bits = host_bits_of(child, network);
  const auto others = std::ranges::count_if(
      *children, [&](const Child& other) { return other.host_bits != host_bits && !is_over(other, at); });
  return static_cast<size_t>(others) + 1 >= settings_.after;
}

void Widening::remember(const Prefix& subject, WallTime at) {
  if (settings_.after <= 1) return;
  if (const auto network = parent_of(subject)) note(*network, subject, at);
}

bool Widening::note(const Prefix& network, const Prefix& child, WallTime at) {
  if (networks_.size() >= most_networks_ && networks_.get(network) == nullptr) {
    networks_.evict_one([](const auto& a, const auto& b) { return a.back().at < b.back().at; });
    ++evicted_;
  }
  const auto slot = networks_.find_or_insert(network).first;
  auto& children = networks_.value(slot);
  const uint64_t host_bits = host_bits_of(child, network);
  std::erase_if(children, [&](const Child& other) { return other.host_bits == host_bits || is_over(other, at); });
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  if (children.size() >= settings_.after) children.erase(children.begin());
  children.push_back({host_bits, static_cast<uint32_t>(seconds)});
  return children.size() >= settings_.after;
}

}  // namespace palang
