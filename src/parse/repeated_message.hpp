#pragma once

#include <cstdint>
#include <string_view>

namespace palang {

// rsyslog writes a message that comes again and again only once more: "message repeated 5 times: [ … ]". Puts what is
// in the brackets into its place and returns how often it came; 1 for all other messages, which stay as they are.
[[nodiscard]] uint32_t unroll(std::string_view& message);

}  // namespace palang
