#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "host/root.hpp"
#include "net/address.hpp"

namespace palang {

// The name servers this host asks (/etc/resolv.conf) and, behind a stub on loopback (127.0.0.53), those that
// systemd-resolved asks; without loopback, each once. A host without the files has none.
[[nodiscard]] std::vector<Address> resolvers(const HostRoot& root);

// The `nameserver` lines of a resolv.conf(5); an IPv6 zone ("%eth0") is dropped.
[[nodiscard]] std::vector<Address> parse_resolv_conf(std::string_view text);

}  // namespace palang
