#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/prefix.hpp"
#include "rules/f2b_definition.hpp"
#include "rules/f2b_tags.hpp"

namespace palang::f2b {

// [jail] bantime.*: longer bans for those that come back.
struct BanIncrement {
  bool enabled = false;
  double factor = 1;
  std::vector<double> multipliers;  // of the first, second, … ban; empty: doubling
  std::optional<Duration> at_most;
  std::string formula;  // Python; not carried over
  Duration random{};    // up to so much is added; not carried over
  bool over_all_jails = false;
};

// A file that a jail reads.
struct JailLog {
  std::string pattern;    // a path, with * ? [ ] as the shell has them
  bool from_end = false;  // " tail" behind the path
  size_t files = 0;       // that it matches now
};

// A jail as fail2ban's configuration has it, with everything put in.
struct Jail {
  std::string name;
  std::string file;  // where it was first named
  uint32_t line = 0;
  std::string problem;  // a sentence; not empty: the jail can't be carried over, and the rest isn't complete

  Reference filter;
  Definition definition;
  std::string backend;
  bool journal = false;  // reads the journal, by definition.journalmatch; else its logs
  std::vector<JailLog> logs;

  uint32_t max_retry = 5;
  Duration find_time = std::chrono::minutes{10};
  std::optional<Duration> ban_time = Duration{std::chrono::minutes{10}};  // nothing: for ever
  BanIncrement increment;

  std::vector<Prefix> ignored;
  std::vector<std::string> ignored_names;  // host names in ignoreip
  bool ignore_self = true;
  std::string ignore_command;

  std::string port;
  std::string protocol;
  std::vector<Reference> actions;
  std::vector<std::string> complaints;  // sentences with file and line: what was left out
};

struct Jails {
  std::vector<Jail> enabled;            // in the order of the files
  std::vector<std::string> disabled;    // names
  std::vector<std::string> complaints;  // about the files as a whole
};

// Reads jail.conf, jail.d/*.conf, jail.local and jail.d/*.local below `directory` (/etc/fail2ban), and the filters of
// the jails that are enabled. A jail that is broken has a problem; the others go on.
[[nodiscard]] Result<Jails> read_jails(const std::string& directory);

// "10m", "1d 12h", "600", "1h+30m", "-1"; without unit seconds. Nothing if it is no time; negative ones are for ever.
[[nodiscard]] std::optional<Duration> read_time(std::string_view text);

}  // namespace palang::f2b
