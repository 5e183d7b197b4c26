#include "base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/text.hpp"
#include "base/time.hpp"

namespace palang {
namespace {

std::atomic<int> threshold{static_cast<int>(LogLevel::info)};

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error";
    case LogLevel::warning: return "warning";
    case LogLevel::notice: return "notice";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
  }
  return "?";
}

bool journald_reads_us() {
  static const bool answer = std::getenv("JOURNAL_STREAM") != nullptr;
  return answer;
}

}  // namespace

void set_log_level(LogLevel most_verbose) {
  threshold = static_cast<int>(most_verbose);
}

void log(LogLevel level, std::string_view sentence) {
  if (static_cast<int>(level) > threshold) return;
  std::string line;
  if (journald_reads_us()) {
    line.append("<").append(std::to_string(static_cast<int>(level))).append(">");
  } else {
    line.append(format_local(SystemClock{}.now())).append(" ").append(level_name(level)).append(": ");
  }
  line.append(escape_controls(sentence)).append("\n");
  // One write, so that lines of two threads don't mix. There is nowhere to report that standard error is gone.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace palang
