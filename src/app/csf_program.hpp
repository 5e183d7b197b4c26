#pragma once

#include <string>
#include <vector>

namespace palang {

// Whether the program was called by its second name, `csf`.
[[nodiscard]] bool is_csf(const char* program);

// `csf ARGUMENTS`; returns the exit code.
[[nodiscard]] int run_csf_program(const std::vector<std::string>& arguments);

}  // namespace palang
