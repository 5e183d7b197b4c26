#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/followed_files.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "engine/line_reader.hpp"
#include "model/source.hpp"

namespace palang {

// One source with what reading it needs.
struct Intake {
  std::unique_ptr<Source> source;
  LineReader reader;
  std::string trouble;  // the last failure, until a read succeeds
  bool finished = false;

  // A sentence; empty: all is well. A log file that was never there yet is a trouble: its name may be misspelt.
  [[nodiscard]] std::string current_trouble() const;
};

struct OpenedIntakes {
  std::vector<Intake> intakes;
  std::vector<std::string> notices;  // what was found and chosen, a sentence each
};

// What the rules in use want to read.
struct WantedLines {
  bool services = false;                                // any line of a service at all
  std::function<bool(const LineOrigin&)> from_journal;  // asked of each entry of the journal
};

// Opens the sources of the configuration or, without any, what this host has; each goes on at its stored position.
// Error: a configured source can't be opened. Without configuration a host without logs has no intake, and a notice.
[[nodiscard]] Result<OpenedIntakes> open_intakes(const Config& config, const WantedLines& wanted,
                                                 const std::vector<Position>& stored, const Clock& clock);

// Opens what has appeared of the files that rules name. `first_look`: at the start, when a file that was never read
// before is begun at its end; what appears later is read from its beginning.
[[nodiscard]] OpenedIntakes open_followed(FollowedFiles& files, bool first_look, const std::vector<Position>& stored,
                                          const Clock& clock);

// Reads standard input, once through.
[[nodiscard]] Result<OpenedIntakes> open_stdin_intake(const Clock& clock);

}  // namespace palang
