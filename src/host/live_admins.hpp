#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/root.hpp"
#include "host/sockets.hpp"
#include "net/address.hpp"

namespace palang {

// The addresses of admins who are logged in right now, from whatever of three witnesses can be asked: systemd-logind's
// sessions, utmp(5), and the processes of OpenSSH sessions with their connections. Ascending, each once.
//
// Only who has been let in counts. A connection that has not authenticated yet gives no protection: an attacker would
// hold one open. Nor does a process that merely calls itself sshd, or a connection that a session forwards.
// The processes' connections take CAP_SYS_PTRACE to see.
[[nodiscard]] std::vector<Address> live_admins(const HostRoot& root);

// A session as systemd-logind knows it (sd-login(3)).
struct LoginSession {
  std::string state;        // "active", "online", "closing"
  std::string service;      // PAM's: "sshd"
  std::string remote_host;  // an address or, with UseDNS, a name
};
[[nodiscard]] std::vector<Address> addresses_of_sessions(std::span<const LoginSession> sessions);

// A user's entry in utmp(5).
struct UtmpEntry {
  pid_t pid = 0;
  Address from;      // ::, where only the host's text is known
  std::string host;  // text that some programs let users choose
};
[[nodiscard]] std::vector<UtmpEntry> parse_utmp(std::string_view bytes);

// Whether a title says that sshd (or OpenSSH 9.8's sshd-session) serves a user who has been let in:
// "sshd: root@pts/0", "sshd-session: deploy@notty"; not "sshd: root [priv]", "sshd: x [net]", "sshd: [accepted]".
[[nodiscard]] bool is_session_title(std::string_view title);

// A session's process and the sockets it holds.
struct SessionProcess {
  std::vector<uint64_t> sockets;  // inodes
};
// The other ends of the sessions' own connections, among all TCP sockets that are listening or established. A session
// also holds what it forwards, whose other ends are strangers to us: connections to ports on which it listens itself
// (ssh -R), and connections it made (ssh -L), whose local port nobody listens on.
[[nodiscard]] std::vector<Address> peers_of_sessions(std::span<const SessionProcess> sessions,
                                                     std::span<const Socket> sockets);

}  // namespace palang
