#pragma once

#include "base/error.hpp"

namespace palang {

// Gives up every capability that the daemon does not need, for good; to be called before threads are started, which
// inherit what is left. A process without any stays without.
// Kept: CAP_CHOWN (the group of the API socket), CAP_NET_ADMIN (nftables, sock_diag), CAP_SYSLOG (/dev/kmsg),
// CAP_DAC_READ_SEARCH (other users' logs) and CAP_SYS_PTRACE (which sockets a logged-in admin's sshd holds, see
// host/live_admins.hpp); where `runs_iptables`, CAP_NET_RAW too, without which iptables-legacy doesn't work.
[[nodiscard]] Result<void> drop_privileges(bool runs_iptables);

}  // namespace palang
