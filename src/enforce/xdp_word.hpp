#pragma once

#include <cstdint>

#include "bpf/abi.h"

namespace palang {

// The end of a ban in its word (see bpf/abi.h), in units of the program's clock.
[[nodiscard]] inline uint32_t end_of_word(uint32_t word) {
  return word >> PALANG_END_SHIFT;
}

}  // namespace palang
