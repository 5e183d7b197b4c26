#pragma once

#include <string>
#include <string_view>

#include "firewall/imported_policy.hpp"

namespace palang::foreign {

// palang.toml; lists without a URL are files in `list_directory`.
[[nodiscard]] std::string policy_toml(const ImportedPolicy& policy, std::string_view list_directory);

// The list as palang reads it: one entry a line, notes behind #.
[[nodiscard]] std::string list_text(const ImportedList& list);
[[nodiscard]] std::string list_file_name(const ImportedList& list);

// A basic string of TOML, in ASCII: what is no UTF-8 becomes '?'.
[[nodiscard]] std::string toml_text(std::string_view text);

}  // namespace palang::foreign
