#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "firewall/policy.hpp"
#include "firewall/surroundings.hpp"

namespace palang {

// Where the firewall keeps its files: beside the ledger.
[[nodiscard]] std::string firewall_directory(const Config& config);
// The copies of lists by url.
[[nodiscard]] std::string list_directory(const Config& config);

// Everything that the policy names, looked up: lists, hosts, accounts, raw files. An error names the file and the line
// of the configuration; a host that doesn't resolve is none.
[[nodiscard]] Result<Surroundings> look_up_surroundings(const Config& config, const std::string& config_path,
                                                        WallTime now);
// Who is on a list that allows or is to be ignored, and so is never judged. A list that can't be read has nobody.
[[nodiscard]] std::vector<Prefix> never_judged(const Config& config);

// All hosts that the policy names, also in lists.
[[nodiscard]] std::vector<std::string> hosts_of(const FirewallSettings& settings);

// IPv4 and IPv6 addresses of a host, in the order of text; none where it has none. May take seconds.
[[nodiscard]] std::vector<Address> resolve_host(const std::string& name);

}  // namespace palang
