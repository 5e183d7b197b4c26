#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/config.hpp"
#include "model/source.hpp"
#include "parse/line_parser.hpp"

namespace palang {

// One source with what reading it needs.
struct Intake {
  std::unique_ptr<Source> source;
  LineParser parser;
  std::string trouble;  // the last failure, until a read succeeds
  bool finished = false;
};

struct OpenedIntakes {
  std::vector<Intake> intakes;
  std::vector<std::string> notices;  // what was found and chosen, a sentence each
};

// Opens the sources of the configuration or, without any, what this host has; each goes on at its stored position.
// Error: a configured source can't be opened. Without configuration a host without logs has no intake, and a notice.
[[nodiscard]] Result<OpenedIntakes> open_intakes(const Config& config, const std::vector<Position>& stored,
                                                 const Clock& clock);

// Reads standard input, once through.
[[nodiscard]] Result<OpenedIntakes> open_stdin_intake(const Clock& clock);

}  // namespace palang
