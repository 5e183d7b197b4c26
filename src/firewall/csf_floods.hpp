#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "firewall/csf_lists.hpp"

namespace palang::foreign::csf {

// SYNFLOOD, UDPFLOOD, CONNLIMIT, PORTFLOOD, PORTKNOCKING.
void import_floods(const Context& context);

// "100/s", as iptables takes rates, the way palang.toml writes them; "" for "0", "" and, with a fault, for what is
// none.
[[nodiscard]] std::string read_rate(std::string_view option, const Context& context);

// "mail,mailman"
[[nodiscard]] std::vector<std::string> account_names(std::string_view option, const Context& context);

}  // namespace palang::foreign::csf
