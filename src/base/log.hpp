#pragma once

#include <string_view>

namespace palang {

// Levels as in syslog(3). Lines go to standard error: with a "<N>" prefix when journald reads it (JOURNAL_STREAM),
// else with local time and level for people. Control characters are escaped: what is logged may come from an attacker.
enum class LogLevel : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

void set_log_level(LogLevel most_verbose);
void log(LogLevel level, std::string_view sentence);

inline void log_error(std::string_view sentence) {
  log(LogLevel::error, sentence);
}
inline void log_warning(std::string_view sentence) {
  log(LogLevel::warning, sentence);
}
inline void log_notice(std::string_view sentence) {
  log(LogLevel::notice, sentence);
}
inline void log_info(std::string_view sentence) {
  log(LogLevel::info, sentence);
}
inline void log_debug(std::string_view sentence) {
  log(LogLevel::debug, sentence);
}

}  // namespace palang
