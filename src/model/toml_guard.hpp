#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace palang {

struct UnsafeToml {
  uint32_t line;  // from 1
  std::string_view why;
};

// The text as the TOML library may be given it: versions of it answer control characters, characters outside of ASCII
// in wrong places and keys of very many dots with undefined behaviour or a stack overflow. So only comments may have
// more than ASCII, and there it becomes '?'. Lines and columns stay as they are.
[[nodiscard]] std::expected<std::string, UnsafeToml> guard_toml(std::string_view text);

}  // namespace palang
