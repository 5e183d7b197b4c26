#pragma once

#include <string>

#include "cli/console.hpp"
#include "engine/survey.hpp"

namespace palang {

// The answer to an admin's three questions, from his own log: is it worth it, how long does the list get, what would
// be better. `seconds`: how long the replay took.
[[nodiscard]] std::string report_text(const SurveyResult& result, double seconds, const Console& console);

// The same for programs: one object on one line; but for the timings, the same files give the same bytes.
[[nodiscard]] std::string report_json(const SurveyResult& result, double seconds);

}  // namespace palang
