#pragma once

#include "firewall/csf_lists.hpp"

namespace palang::foreign::csf {

// CC_DENY and its kin: lists of ISO 3166 codes and AS numbers. Each is read and named; without a database of countries
// there is nothing that they could become.
void import_countries(const Context& context);

}  // namespace palang::foreign::csf
