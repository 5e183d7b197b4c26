#pragma once

#include <string>

namespace palang {

// Whether the device hands up several received packets merged into one (LRO, GRO in hardware, as virtio does it, too).
// False, too, where the driver doesn't tell.
[[nodiscard]] bool device_merges_packets(const std::string& interface);

}  // namespace palang
