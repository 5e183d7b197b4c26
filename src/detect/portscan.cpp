#include "detect/portscan.hpp"

#include <algorithm>

namespace palang {

std::optional<Finding> PortscanDetector::observe(const Event& event) {
  const bool has_port = event.protocol == Protocol::tcp || event.protocol == Protocol::udp;
  if (!settings_.enabled || !has_port) return {};
  auto& sightings = window_.recent(event.source, settings_.within, event.at);
  std::erase_if(sightings, [&](const Sighting& sighting) { return sighting.port == event.port; });
  sightings.push_back({event.at, event.port});
  const auto distinct = static_cast<uint32_t>(sightings.size());
  if (distinct < settings_.ports) return {};
  return Finding{event.at, event.source, 128, Rule::portscan, event.proof, event.protocol, event.port, distinct};
}

}  // namespace palang
