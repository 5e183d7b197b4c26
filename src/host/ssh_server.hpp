#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "host/root.hpp"
#include "host/sockets.hpp"
#include "net/ports.hpp"

namespace palang {

// The TCP ports beyond loopback on which sshd really listens, whatever its configuration says. Where the sockets of
// processes can't be seen, or systemd listens for it, those among `usual` (22) on which anybody listens.
[[nodiscard]] PortSet ssh_ports(const HostRoot& root);

// Both ends of an ssh connection: "198.51.100.7:50022-192.0.2.1:22".
[[nodiscard]] std::string connection_text(const Socket& socket);
// All established TCP connections to these ports.
[[nodiscard]] Result<std::vector<Socket>> connections_to(const HostRoot& root, const PortSet& ports);

// The ssh connection in which this process runs, as sshd told it (SSH_CONNECTION) to it or to a process above it, whose
// environment programs like sudo leave alone. "": it runs in none.
[[nodiscard]] std::string own_ssh_connection(const HostRoot& root);
// Of "198.51.100.7 50022 192.0.2.1 22"; "" for anything else.
[[nodiscard]] std::string connection_of_environment(std::string_view value);

}  // namespace palang
