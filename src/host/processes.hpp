#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/root.hpp"

namespace palang {

// What /proc tells of a process.
struct Process {
  std::string name;  // as in /proc/PID/comm: anyone may choose it
  pid_t parent = 0;
  uid_t user = 0;  // effective
};

// The numbers of all processes; empty where /proc can't be read.
[[nodiscard]] std::vector<pid_t> list_processes(const HostRoot& root);
[[nodiscard]] std::optional<Process> read_process(const HostRoot& root, pid_t pid);
// The first argument, which daemons overwrite to show what they do; empty where it can't be read.
[[nodiscard]] std::string process_title(const HostRoot& root, pid_t pid);
// The inodes of the sockets it holds; empty where they can't be read (it takes CAP_SYS_PTRACE for other users').
[[nodiscard]] std::vector<uint64_t> process_sockets(const HostRoot& root, pid_t pid);

// The text of /proc/PID/status.
[[nodiscard]] std::optional<Process> parse_status(std::string_view text);
// 4711 of "socket:[4711]".
[[nodiscard]] std::optional<uint64_t> socket_inode(std::string_view link);

}  // namespace palang
