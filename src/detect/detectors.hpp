#pragma once

#include <optional>
#include <span>
#include <vector>

#include "detect/blocked.hpp"
#include "detect/portscan.hpp"
#include "model/store.hpp"

namespace palang {

// All detectors, asked in order; the first finding stands.
class Detectors {
 public:
  Detectors(const DetectSettings& settings, HashSeed seed)
      : settings_(settings),
        blocked_(settings.blocked, settings.tracked_sources, seed),
        portscan_(settings.portscan, settings.tracked_sources, seed) {}

  // Windows are measured by the times of the events: lines that are read late count as if read at once.
  [[nodiscard]] std::optional<Finding> observe(const Event& event);
  // What was counted of an address is used up once it is banned.
  void forget(const Address& address);

  // Other thresholds from now on; what is counted stays counted. The cap of tracked sources needs a restart.
  void use(const DetectSettings& settings);

  // What is counted of an address so far: one Pending per rule that counts it.
  [[nodiscard]] std::vector<Pending> pending_of(const Address& address) const;
  void restore(std::span<const Pending> pending, WallTime now);

  [[nodiscard]] size_t tracked() const { return blocked_.window().size() + portscan_.window().size(); }
  [[nodiscard]] uint64_t evicted() const { return blocked_.window().evicted() + portscan_.window().evicted(); }

 private:
  DetectSettings settings_;
  BlockedDetector blocked_;
  PortscanDetector portscan_;
};

}  // namespace palang
