#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/root.hpp"

namespace palang {

// A place where this host's kernel lines can be read.
struct LogSource {
  enum class Kind : uint8_t { kmsg, journald, file };
  Kind kind = Kind::kmsg;
  std::string path;  // the device, the journal's directory, or the log file
  std::string why;   // a sentence: "kernel log /dev/kmsg: readable, has netfilter lines"
};

struct FoundLogSources {
  std::vector<LogSource> sources;        // at most one: kernel lines from two places would be counted twice
  std::vector<std::string> passed_over;  // why the better ones were not taken, a sentence each
};

// Where to read kernel lines when nothing is configured. The first of these that can be read: /dev/kmsg; the journal
// (a directory of journal files below /var/log/journal or /run/log/journal); /var/log/kern.log, messages, syslog,
// firewall.
[[nodiscard]] FoundLogSources find_log_sources(const HostRoot& root);

// Where to read the lines of services when nothing is configured: the journal or, where there is none, the classic
// files that syslog daemons write. A file whose newest line stands in another one too is passed over: its lines would
// be counted twice.
[[nodiscard]] FoundLogSources find_service_sources(const HostRoot& root);

}  // namespace palang
