#pragma once

#include <string_view>

#include "config/config.hpp"

namespace palang {

// Walks the document along the schema, then checks what no key can check alone. See parse_config().
[[nodiscard]] Result<Config> read_config(std::string_view text, std::string_view file_name);

}  // namespace palang
