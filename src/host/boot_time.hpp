#pragma once

#include "base/time.hpp"

namespace palang {

// When this machine started, to the second: the same at every call (/proc/stat, btime), unlike "now minus uptime".
// 1970 where that can't be read.
[[nodiscard]] WallTime boot_time();

}  // namespace palang
