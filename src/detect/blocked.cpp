#include "detect/blocked.hpp"

namespace palang {

std::optional<Finding> BlockedDetector::observe(const Event& event) {
  if (!settings_.enabled) return {};
  uint32_t count = 1;
  if (settings_.after > 1) {
    auto& sightings = window_.recent(event.source, settings_.within, event.at);
    sightings.push_back({event.at, event.port});
    count = static_cast<uint32_t>(sightings.size());
    if (count < settings_.after) return {};
  }
  return Finding{event.at, event.source, 128, Rule::blocked, event.proof, event.protocol, event.port, count};
}

}  // namespace palang
