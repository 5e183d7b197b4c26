#pragma once

#include <cstddef>
#include <span>

namespace palang {

// The ELF object of src/bpf/palang.bpf.c.
[[nodiscard]] std::span<const std::byte> bpf_object_gate();
// The same without the functions of the connection tracking, which names nothing of the kernel's modules.
[[nodiscard]] std::span<const std::byte> bpf_object_gate_alone();

}  // namespace palang
