#include "detect/detectors.hpp"

namespace palang {
namespace {

void append_pending(std::vector<Pending>& all, Rule rule, const WindowTable& window, const Address& address) {
  const auto* sightings = window.find(address);
  if (sightings == nullptr) return;
  Pending pending{rule, Prefix::of(address), {}, {}};
  for (const Sighting& sighting : *sightings) {
    pending.times.push_back(sighting.at);
    pending.values.push_back(sighting.port);
  }
  all.push_back(std::move(pending));
}

void restore_into(WindowTable& window, const Pending& pending, Duration within, WallTime now) {
  auto& sightings = window.recent(pending.subject.address(), within, now);
  for (size_t i = 0; i < pending.times.size(); ++i)
    sightings.push_back(
        {pending.times[i], i < pending.values.size() ? static_cast<uint16_t>(pending.values[i]) : uint16_t{0}});
}

}  // namespace

std::optional<Finding> Detectors::observe(const Event& event) {
  if (auto finding = blocked_.observe(event)) return finding;
  return portscan_.observe(event);
}

void Detectors::forget(const Address& address) {
  blocked_.window().forget(address);
  portscan_.window().forget(address);
}

void Detectors::use(const DetectSettings& settings) {
  settings_ = settings;
  blocked_.use(settings.blocked);
  portscan_.use(settings.portscan);
}

std::vector<Pending> Detectors::pending_of(const Address& address) const {
  std::vector<Pending> all;
  append_pending(all, Rule::blocked, blocked_.window(), address);
  append_pending(all, Rule::portscan, portscan_.window(), address);
  return all;
}

void Detectors::restore(std::span<const Pending> pending, WallTime now) {
  for (const Pending& one : pending) {
    if (one.rule == Rule::blocked) restore_into(blocked_.window(), one, settings_.blocked.within, now);
    if (one.rule == Rule::portscan) restore_into(portscan_.window(), one, settings_.portscan.within, now);
  }
}

}  // namespace palang
