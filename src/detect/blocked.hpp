#pragma once

#include <optional>

#include "detect/window.hpp"
#include "model/event.hpp"
#include "model/finding.hpp"
#include "model/settings.hpp"

namespace palang {

// [detect.blocked]: a firewall refused `after` packets of one address `within` a window.
class BlockedDetector {
 public:
  BlockedDetector(const BlockedSettings& settings, uint32_t most_addresses, HashSeed seed)
      : settings_(settings), window_(seed, most_addresses) {}

  [[nodiscard]] std::optional<Finding> observe(const Event& event);
  void use(const BlockedSettings& settings) { settings_ = settings; }
  [[nodiscard]] WindowTable& window() { return window_; }
  [[nodiscard]] const WindowTable& window() const { return window_; }

 private:
  BlockedSettings settings_;
  WindowTable window_;
};

}  // namespace palang
