#pragma once

#include <string>

#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"

namespace palang::foreign {

// What `ipset save` printed: each set of addresses or networks becomes a list, which rules can name. The sets say
// nothing about what is done with whom they hold.
[[nodiscard]] Result<Import> import_ipset(const std::string& path, const csf::ReadFile& read);

// Words of a line, as a shell would split it: "..." holds spaces together, a backslash keeps the next character.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view line);

}  // namespace palang::foreign
