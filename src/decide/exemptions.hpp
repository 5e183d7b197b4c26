#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "net/prefix_map.hpp"

namespace palang {

// Who is neither banned nor counted (promise 2): the allowlist, each entry with its own end.
class Exemptions {
 public:
  explicit Exemptions(HashSeed seed) : until_(seed) {}

  void allow(const Prefix& prefix, WallTime until) { until_.value(until_.find_or_insert(prefix).first) = until; }
  void clear() { until_.clear(); }

  [[nodiscard]] bool exempts(const Address& address, WallTime now) const { return exempts(Prefix::of(address), now); }
  // All of `prefix` is exempt.
  [[nodiscard]] bool exempts(const Prefix& prefix, WallTime now) const {
    if (until_.empty()) return false;
    return until_.find_covering(prefix, [now](WallTime until) { return until > now; }) != Map::none;
  }

 private:
  using Map = PrefixMap<WallTime>;
  Map until_;
};

}  // namespace palang
