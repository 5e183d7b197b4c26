#pragma once

#include "base/error.hpp"

namespace palang {

// Rights beyond the usual that some hosts take.
struct SpecialRights {
  // CAP_SYS_ADMIN: only who has it sees the XDP programs of others, to share an interface with them.
  bool shares_interfaces = false;
  // CAP_NET_RAW, without which iptables-legacy doesn't work, also for the programs that are run.
  bool runs_iptables = false;
};

// Gives up every capability that the daemon does not need, for good; to be called before threads are started, which
// inherit what is left. A process without any stays without.
// Kept: CAP_CHOWN (the group of the API socket), CAP_NET_ADMIN (nftables, sock_diag, XDP), CAP_BPF and CAP_PERFMON
// (XDP: loading programs, and those that read packets by pointers), CAP_SYSLOG (/dev/kmsg), CAP_DAC_READ_SEARCH (other
// users' logs) and CAP_SYS_PTRACE (which sockets a logged-in admin's sshd holds, see host/live_admins.hpp).
[[nodiscard]] Result<void> drop_privileges(SpecialRights special);

}  // namespace palang
