#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "rules/f2b_config.hpp"

namespace palang::f2b {

// What a filter file says, with all that it includes and all options put in: fail2ban's patterns, not yet PCRE2's.
struct Definition {
  std::string name;
  std::string prefregex;
  std::vector<std::string> failregex;
  std::vector<std::string> ignoreregex;
  std::vector<std::string> datepattern;
  std::vector<std::string> journalmatch;  // "_SYSTEMD_UNIT=sshd.service + _COMM=sshd", any of them
  uint32_t maxlines = 1;
  std::string usedns = "warn";
  std::string logtimezone;
  std::string prefix_line;              // what the log daemon writes before the message: __prefix_line of the filter
  Values places;                        // "FILE:LINE" of prefregex, failregex, … by name
  std::vector<std::string> files;       // it was read from
  std::vector<std::string> complaints;  // sentences with file and line: what was left out
};

// A filter file, read once; what it becomes depends on the options that a jail gives it.
class FilterFile {
 public:
  // filter.d/NAME below `directory` (/etc/fail2ban).
  [[nodiscard]] static Result<FilterFile> read(const std::string& directory, const std::string& name);

  // The same of a configuration that was read already.
  [[nodiscard]] static Result<FilterFile> from(const std::string& name, Config config);

  // Whether the file itself says which kind of log it reads.
  [[nodiscard]] bool says_logtype() const;
  // `jail`: the jail's own options, over those of the file; `options`: those in brackets (filter[mode=…]), over all.
  // The option's values come out by name, for %(known/name)s in a jail; with `all`, those that only tags use, too.
  [[nodiscard]] Result<Values> combine(const Values& jail, const Values& options, bool all) const;
  // The combined values, with the jail's own laid over.
  [[nodiscard]] Definition define(const Values& combined, const Values& jail) const;

  [[nodiscard]] const Config& config() const { return config_; }

 private:
  std::string name_;
  Config config_;
};

// The options that make up a filter; a jail may set them, too.
inline constexpr std::array<std::string_view, 7> filter_options = {
    "usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern", "journalmatch"};
[[nodiscard]] bool is_filter_option(std::string_view name);

}  // namespace palang::f2b
