#pragma once

#include <ostream>

#include "base/error.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

namespace palang {

// The end of a command that needs no daemon: its exit code, after the sentence about what went wrong.
[[nodiscard]] inline int finish(const Result<void>& done, const Console& console) {
  if (done) return static_cast<int>(ExitCode::ok);
  console.err << "palang: " << done.error().text << "\n";
  return static_cast<int>(exit_code_of(done.error().kind));
}

}  // namespace palang
