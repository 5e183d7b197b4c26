#pragma once

#include "firewall/csf_lists.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign::csf {

// The firewall's part of csf.conf: open ports, ICMP, floods, limits, knocking, mail, lists by URL, countries.
void import_firewall(const Context& context);

// "22,80,2000:3000" as CSF reads it, merged; pieces that are none are faults of the setting.
[[nodiscard]] std::vector<PortRange> read_port_setting(std::string_view name, const Conf& conf, ImportReport& report);

}  // namespace palang::foreign::csf
