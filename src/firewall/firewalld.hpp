#pragma once

#include <string>

#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"

namespace palang::foreign {

// firewalld's default zone, or one zone's file: services, ports, sources of other zones that are accepted, rich rules
// that accept or refuse an address, forwarded ports. Services are looked up beside it and in /usr/lib/firewalld.
[[nodiscard]] Result<Import> import_firewalld(const std::string& path, const csf::ReadFile& read);

}  // namespace palang::foreign
