#pragma once

#include <string>
#include <string_view>

#include "rules/f2b_jails.hpp"

namespace palang::f2b {

// Reads the addresses, networks (also 192.0.2.7/24 and 192.0.2.0/255.255.255.0) and names of `ignoreip` into the jail.
void read_ignored(std::string_view text, const std::string& place, Jail& jail);

}  // namespace palang::f2b
