#pragma once

#include <cstdint>
#include <vector>

#include "base/seeded_table.hpp"
#include "base/time.hpp"
#include "net/address.hpp"

namespace palang {

// One thing an address did, as the detectors remember it.
struct Sighting {
  WallTime at;
  uint16_t port = 0;
};

// Per address, the sightings within a window: what a threshold counts. Bounded in addresses (among a few the one
// seen longest ago gives way and is counted) and, by its users, in sightings per address.
class WindowTable {
 public:
  WindowTable(HashSeed seed, uint32_t most_addresses) : table_(seed), most_addresses_(most_addresses) {}

  // The sightings of `address` that are younger than `within` at `at`, oldest first, to be added to.
  std::vector<Sighting>& recent(const Address& address, Duration within, WallTime at);
  // The same, where it exists, as it is.
  [[nodiscard]] const std::vector<Sighting>* find(const Address& address) const { return table_.get(address); }
  void forget(const Address& address);

  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] uint64_t evicted() const { return evicted_; }

 private:
  SeededTable<Address, std::vector<Sighting>> table_;
  uint32_t most_addresses_;
  uint64_t evicted_ = 0;
};

}  // namespace palang
