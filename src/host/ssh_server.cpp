#include "host/ssh_server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <set>

#include "host/processes.hpp"

namespace palang {
namespace {

constexpr uint16_t usual_port = 22;
constexpr int most_generations = 64;
constexpr size_t most_environment = size_t{1} << 20;

std::set<uint64_t> sockets_of_sshd(const HostRoot& root) {
  std::set<uint64_t> sockets;
  for (const pid_t pid : list_processes(root)) {
    const auto process = read_process(root, pid);
    if (!process || process->name != "sshd" || process->user != 0) continue;
    for (const uint64_t inode : process_sockets(root, pid)) sockets.insert(inode);
  }
  return sockets;
}

std::string environment_of(const HostRoot& root, pid_t pid) {
  const auto text = root.read(fmt::format("/proc/{}/environ", pid), most_environment);
  if (!text) return {};
  static constexpr std::string_view name = "SSH_CONNECTION=";
  for (size_t at = 0; at < text->size(); at = text->find('\0', at) + 1) {
    const std::string_view entry = std::string_view(*text).substr(at, text->find('\0', at) - at);
    if (entry.starts_with(name)) return connection_of_environment(entry.substr(name.size()));
    if (text->find('\0', at) == std::string::npos) break;
  }
  return {};
}

}  // namespace

PortSet ssh_ports(const HostRoot& root) {
  const std::set<uint64_t> sshd = sockets_of_sshd(root);
  PortSet ports;
  bool any_on_usual = false;
  const auto looked = visit_sockets(root, Protocol::tcp, SocketState::listening, [&](const Socket& socket) {
    if (socket.local.is_loopback()) return true;
    any_on_usual = any_on_usual || socket.local_port == usual_port;
    if (sshd.contains(socket.inode)) ports.add(socket.local_port);
    return true;
  });
  if (looked && any_on_usual && ports == PortSet{}) ports.add(usual_port);
  return ports;
}

std::string connection_text(const Socket& socket) {
  return fmt::format("{}:{}-{}:{}", socket.remote.text(), socket.remote_port, socket.local.text(), socket.local_port);
}

Result<std::vector<Socket>> connections_to(const HostRoot& root, const PortSet& ports) {
  std::vector<Socket> found;
  const auto looked = visit_sockets(root, Protocol::tcp, SocketState::established, [&](const Socket& socket) {
    if (ports.contains(socket.local_port)) found.push_back(socket);
    return true;
  });
  if (!looked) return Failure(looked.error());
  return found;
}

std::string connection_of_environment(std::string_view value) {
  std::array<std::string_view, 4> parts;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t blank = value.find(' ');
    if ((blank == std::string_view::npos) != (i + 1 == parts.size())) return {};
    parts[i] = value.substr(0, blank);
    value.remove_prefix(std::min(blank, value.size() - 1) + 1);
  }
  const auto from = Address::parse(parts[0].substr(0, parts[0].find('%')));
  const auto to = Address::parse(parts[2].substr(0, parts[2].find('%')));
  Socket socket;
  for (const auto& [text, port] : {std::pair(parts[1], &socket.remote_port), std::pair(parts[3], &socket.local_port)}) {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), *port);
    if (status != std::errc{} || end != text.data() + text.size()) return {};
  }
  if (!from || !to) return {};
  socket.remote = *from;
  socket.local = *to;
  return connection_text(socket);
}

std::string own_ssh_connection(const HostRoot& root) {
  if (const char* const own = ::getenv("SSH_CONNECTION")) return connection_of_environment(own);
  pid_t pid = ::getppid();
  for (int i = 0; i < most_generations && pid > 1; ++i) {
    if (std::string found = environment_of(root, pid); !found.empty()) return found;
    const auto process = read_process(root, pid);
    if (!process) break;
    pid = process->parent;
  }
  return {};
}

}  // namespace palang
