#pragma once

#include <string>

#include "base/time.hpp"
#include "firewall/csf_lines.hpp"
#include "firewall/imported_policy.hpp"

namespace palang::foreign::csf {

struct Directories {
  std::string configuration = "/etc/csf";
  std::string state = "/var/lib/csf";
};

// Everything that CSF was told, and what becomes of it. Only a csf.conf that can't be read is an error.
[[nodiscard]] Result<Import> import_all(const Directories& directories, WallTime now, const ReadFile& read);

}  // namespace palang::foreign::csf
