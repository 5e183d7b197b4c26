#pragma once

#include <string>

#include "base/time.hpp"
#include "firewall/csf_lists.hpp"

namespace palang::foreign::csf {

// Files whose lines have fields between bars: csf.blocklists, csf.redirect, csf.tempban and csf.tempallow.
void import_blocklists(const std::string& path, const Context& context);
void import_redirects(const std::string& path, const Context& context);
// What is over at `now` is passed over.
void import_temporary(const std::string& path, bool allow, WallTime now, const Context& context);

// A URL that palang fetches from: http:// becomes https://; "" where it is neither. The place is for the report.
[[nodiscard]] std::string secure_url(std::string_view url, const Place& place, std::string_view what,
                                     ImportReport& report);

}  // namespace palang::foreign::csf
