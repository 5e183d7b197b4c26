#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cli/actions.hpp"

namespace palang {

// What the policy's own commands do; the daemon isn't needed for them. Each prints what it has to say.
struct CsfPolicy {
  std::function<Result<void>()> start;  // puts the policy of the configuration in force
  std::function<Result<void>()> stop;   // takes it off; bans stay
};

// `csf OPTION …`, the habits of CSF's users: the options are CSF's, in any case, and what -g and -t print has CSF's
// shape. Arguments without the name of the program.
[[nodiscard]] Result<ExitCode> run_csf(std::span<const std::string> arguments, const Session& session,
                                       const CsfPolicy& policy, std::string_view version);

}  // namespace palang
