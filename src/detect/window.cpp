#include "detect/window.hpp"

namespace palang {
namespace {

WallTime last_of(const std::vector<Sighting>& sightings) {
  return sightings.empty() ? WallTime{} : sightings.back().at;
}

}  // namespace

std::vector<Sighting>& WindowTable::recent(const Address& address, Duration within, WallTime at) {
  if (table_.size() >= most_addresses_ && table_.get(address) == nullptr) {
    table_.evict_one([](const auto& a, const auto& b) { return last_of(a) < last_of(b); });
    ++evicted_;
  }
  const auto slot = table_.find_or_insert(address).first;
  auto& sightings = table_.value(slot);
  std::erase_if(sightings, [&](const Sighting& sighting) { return sighting.at + within <= at; });
  return sightings;
}

void WindowTable::forget(const Address& address) {
  const auto slot = table_.find(address);
  if (slot == decltype(table_)::none) return;
  table_.erase(slot);
}

}  // namespace palang
