#pragma once

#include <vector>

#include "base/error.hpp"
#include "net/prefix.hpp"

namespace palang {

// 127.0.0.0/8 and ::1.
[[nodiscard]] std::vector<Prefix> loopback_prefixes();

// The addresses of all interfaces (getifaddrs(3)), without loopback; ascending, each once.
[[nodiscard]] Result<std::vector<Address>> own_addresses();

}  // namespace palang
