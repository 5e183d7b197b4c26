#pragma once

#include <string_view>

#include "model/log_line.hpp"
#include "parse/log_time.hpp"
#include "parse/modsec_json.hpp"

namespace palang {

// Reads lines that have no syslog header, or messages behind one, in any format but syslog.
class EntryReader {
 public:
  // Fills `entry` but for `whole` and `line.program`, which stays what it is where the format doesn't tell. `newest`:
  // no line is newer than this; the time of a line that doesn't tell its own. False if the text has not this format.
  // What the entry points to is valid until the next read().
  [[nodiscard]] bool read(std::string_view text, LineFormat format, WallTime newest, LogEntry& entry);

 private:
  [[nodiscard]] bool read_plain(std::string_view text, WallTime newest, LogEntry& entry);
  [[nodiscard]] bool read_error(std::string_view text, WallTime newest, LogEntry& entry);

  LogTimeReader times_;
  ModsecReader modsec_;
  HttpAccess access_;
  WafHit waf_;
};

}  // namespace palang
