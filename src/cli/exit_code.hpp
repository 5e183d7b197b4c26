#pragma once

#include "base/error.hpp"

namespace palang {

// What every command ends with: part of the public contract.
enum class ExitCode : int { ok = 0, fault = 1, usage = 2, not_found = 3, bad_config = 4 };

[[nodiscard]] constexpr ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::fault: return ExitCode::fault;
    case ErrorKind::usage: return ExitCode::usage;
    case ErrorKind::not_found: return ExitCode::not_found;
    case ErrorKind::bad_config: return ExitCode::bad_config;
  }
  return ExitCode::fault;
}

}  // namespace palang
