#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "net/address.hpp"

namespace palang {

// What parse makes of a line and rules look at. All views point into the line, or into memory of the parser that is
// valid until it reads the next line.

// How a line is written; more than one may be tried on the lines of one file.
enum class LineFormat : uint8_t {
  syslog,       // header (time, host, program), then the message
  plain,        // the whole line is the message; a time at its beginning is taken off
  access,       // HTTP access line: common or combined, also with the virtual host first
  error,        // error log of nginx or Apache
  modsec_json,  // ModSecurity's audit log in JSON, of version 2 or 3
};
inline constexpr size_t line_formats = 5;

[[nodiscard]] std::string_view format_name(LineFormat format);

// A log line taken apart: who said what, when.
struct LogLine {
  WallTime at;
  std::string_view program;  // "kernel", "sshd"; without [pid]
  std::string_view message;
  bool from_kernel = false;  // the message is the kernel's, as far as its framing can prove
};

// An HTTP request as an access log or a WAF tells it. Texts are as logged, with the escapes of the server that wrote
// them; "-" stands as "".
struct HttpAccess {
  Address client;
  WallTime at;
  std::string_view host;  // virtual host, where the line has it
  std::string_view user;
  std::string_view method;  // "" for a request line that is none
  std::string_view target;  // path and query; the whole request line where that is none
  std::string_view referer;
  std::string_view agent;
  uint16_t status = 0;
};

// What a WAF found in one request.
struct WafHit {
  static constexpr size_t most_rules = 16;  // a request that trips more has tripped enough
  static constexpr uint8_t no_severity = 255;

  HttpAccess request;
  std::array<uint32_t, most_rules> rule_ids{};
  uint8_t rules = 0;
  uint8_t severity = no_severity;  // the worst, as syslog counts: 0 emergency, 2 critical, 5 notice
  bool blocked = false;            // the request was refused, not only noted
};

// One line in one of its readings.
struct LogEntry {
  std::string_view whole;  // as it stands in the log: the evidence
  LineFormat format = LineFormat::syslog;
  LogLine line;                        // syslog, plain, error
  const HttpAccess* access = nullptr;  // access, modsec_json; error where it is a WAF's
  const WafHit* waf = nullptr;         // modsec_json; error where it is a WAF's
};

}  // namespace palang
