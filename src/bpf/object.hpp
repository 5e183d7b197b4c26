#pragma once

#include <cstddef>
#include <span>

namespace palang {

// The ELF object of src/bpf/palang.bpf.c.
[[nodiscard]] std::span<const std::byte> bpf_object_gate();

}  // namespace palang
