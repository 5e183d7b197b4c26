#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/f2b_jails.hpp"

namespace palang::f2b {

// What becomes of one jail, in sentences.
struct JailReport {
  std::string jail;
  bool carried_over = false;
  std::vector<std::string> becomes;  // what palang will do
  std::vector<std::string> differs;  // what isn't carried over, or otherwise, and why
  // Patterns that text of an attacker may turn on another address. The check is coarse: some of them are sound.
  std::vector<std::string> may_be_tricked;
  std::vector<std::string> complaints;  // what was wrong in the files, with file and line
};

[[nodiscard]] JailReport report_on(const Jail& jail);

// Why text that an attacker writes might make the pattern (of fail2ban, tags not expanded) blame an address of his
// choice; "" if it can't. `prefix_line`: what the syslog daemon writes before the message, as the pattern has
// it; no attacker writes there.
[[nodiscard]] std::string why_tricked(std::string_view failregex, std::string_view prefix_line);

}  // namespace palang::f2b
