#pragma once

#include "firewall/csf_lists.hpp"

namespace palang::foreign::csf {

// lfd's part of csf.conf: which failures count, port scans, connections, how long and how widely is banned.
void import_lfd(const Context& context);

}  // namespace palang::foreign::csf
