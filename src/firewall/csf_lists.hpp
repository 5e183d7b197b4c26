#pragma once

#include <string>

#include "firewall/csf_conf.hpp"
#include "firewall/imported_policy.hpp"

namespace palang::foreign::csf {

// Lists by address: csf.allow, csf.deny, csf.ignore, csf.dyndns, csf.rignore. Plain entries become a list, advanced
// filters become rules, each note with it.
struct Context {
  const Conf& conf;
  const ReadFile& read;
  Import& import;
};

void import_allow(const std::string& path, const Context& context);
void import_deny(const std::string& path, const Context& context);
void import_ignore(const std::string& path, const Context& context);
void import_rignore(const std::string& path, const Context& context);
void import_dyndns(const std::string& path, const Context& context);

// The rule that does the same as a filter; the error says why there is none.
[[nodiscard]] Result<ImportedRule> filter_rule(std::string_view text, bool allow);

}  // namespace palang::foreign::csf
