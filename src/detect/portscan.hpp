#pragma once

#include <optional>

#include "detect/window.hpp"
#include "model/event.hpp"
#include "model/finding.hpp"
#include "model/settings.hpp"

namespace palang {

// [detect.portscan]: one address tried `ports` distinct ports `within` a window. One sighting is kept per port, the
// latest, so an address costs at most `ports` sightings.
class PortscanDetector {
 public:
  PortscanDetector(const PortscanSettings& settings, uint32_t most_addresses, HashSeed seed)
      : settings_(settings), window_(seed, most_addresses) {}

  [[nodiscard]] std::optional<Finding> observe(const Event& event);
  void use(const PortscanSettings& settings) { settings_ = settings; }
  [[nodiscard]] WindowTable& window() { return window_; }
  [[nodiscard]] const WindowTable& window() const { return window_; }

 private:
  PortscanSettings settings_;
  WindowTable window_;
};

}  // namespace palang
