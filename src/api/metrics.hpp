#pragma once

#include <string>

#include "model/command.hpp"

namespace palang {

// The state of the daemon in Prometheus' text exposition format, version 0.0.4.
[[nodiscard]] std::string metrics_text(const StatusReply& status);

}  // namespace palang
