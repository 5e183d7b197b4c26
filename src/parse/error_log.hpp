#pragma once

#include <optional>
#include <string_view>

#include "model/log_line.hpp"
#include "parse/log_time.hpp"

namespace palang {

// Reads the header of an error log's line; the message is what follows it:
//   2025/01/12 00:30:41 [error] 12#34: *5 user "x" was not found …     nginx; program "nginx"
//   [Sun Jan 12 00:30:41.123456 2025] [core:error] [pid 1:tid 2] (2)No such file: [client 192.0.2.1:50000] AH00128: …
//                                                                      Apache; program "apache", message from [client
//                                                                      on
// Nothing if it has neither form. Allocates nothing.
[[nodiscard]] std::optional<LogLine> read_error_line(std::string_view line, LogTimeReader& times);

// What Apache writes to syslog (ErrorLog syslog:…), as a message without header: the same line without its time, which
// is that of the header, `at`.
[[nodiscard]] std::optional<LogLine> read_apache_by_syslog(std::string_view message, WallTime at);

// Reads what ModSecurity 2 and 3 write into error logs, as a message of read_error_line():
//   [client 192.0.2.1] ModSecurity: Access denied with code 403 … [id "942100"] … [severity "2"] … [uri "/"] …
[[nodiscard]] std::optional<WafHit> read_waf_message(const LogLine& line);

// Notes what stands in the brackets of a message of ModSecurity: ids of rules and the worst severity.
void note_waf_tags(std::string_view message, WafHit& hit);
void note_waf_rule(std::string_view id, WafHit& hit);
// A number or a name, of which the worse counts.
void note_waf_severity(std::string_view severity, WafHit& hit);

}  // namespace palang
