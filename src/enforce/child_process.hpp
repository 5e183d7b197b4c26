#pragma once

#include <span>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace palang {

struct ProgramOutput {
  int status = -1;  // exit code; -1: ended by a signal
  std::string out;  // at most 4 MiB
  std::string err;
};

// Runs a program, by its path and without a shell, feeds it `input` and waits for its end. Its environment is a PATH.
// Error: it can't be started, or took longer than `patience` and was killed.
[[nodiscard]] Result<ProgramOutput> run_program(std::span<const std::string> words, const std::string& input,
                                                Duration patience);

}  // namespace palang
