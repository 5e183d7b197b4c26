#pragma once

#include <string>

#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"

namespace palang::foreign {

// A directory with ufw's user.rules and user6.rules (/etc/ufw), and default policies from `default/ufw` beside it. Each
// rule is read from the line in which ufw itself keeps it.
[[nodiscard]] Result<Import> import_ufw(const std::string& directory, const csf::ReadFile& read);

}  // namespace palang::foreign
