#include "host/live_admins.hpp"

#include <systemd/sd-login.h>
#include <utmp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include "host/processes.hpp"

namespace palang {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }  // NOLINT: sd-login hands out malloc'd strings
};

using Getter = int (*)(const char* session, char** value);

std::string session_property(Getter get, const char* session) {
  char* value = nullptr;
  if (get(session, &value) < 0 || value == nullptr) return {};
  const std::unique_ptr<char, Free> owner(value);
  return value;
}

std::vector<LoginSession> login_sessions() {
  char** names = nullptr;
  const int count = ::sd_get_sessions(&names);
  std::vector<LoginSession> sessions;
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, Free> name(names[i]);
    sessions.push_back({session_property(::sd_session_get_state, name.get()),
                        session_property(::sd_session_get_service, name.get()),
                        session_property(::sd_session_get_remote_host, name.get())});
  }
  std::free(static_cast<void*>(names));  // NOLINT
  return sessions;
}

// An address without its IPv6 zone; nullopt for names, loopback and nonsense.
std::optional<Address> remote_address(std::string_view host) {
  const auto address = Address::parse(host.substr(0, host.find('%')));
  if (!address || !address->is_unicast() || address->is_loopback()) return std::nullopt;
  return *address;
}

bool is_sshd(const Process& process) {
  return process.name == "sshd" || process.name == "sshd-session";
}

// The process or its parent is root's and passes `test`: nobody but root can arrange that.
template <typename Test>
bool vouched_by_root(const HostRoot& root, const Process& process, Test test) {
  if (process.user == 0 && test(process)) return true;
  const auto parent = read_process(root, process.parent);
  return parent && parent->user == 0 && test(*parent);
}

// dropbear leaves the address in the host's text only. Others let users write that text, so it takes dropbear itself.
std::optional<Address> address_of_entry(const HostRoot& root, const UtmpEntry& entry) {
  const auto process = read_process(root, entry.pid);
  if (!process) return std::nullopt;  // a stale entry
  if (entry.from != Address{}) return entry.from;
  const auto is_dropbear = [](const Process& candidate) { return candidate.name == "dropbear"; };
  if (!vouched_by_root(root, *process, is_dropbear)) return std::nullopt;
  return remote_address(entry.host);
}

std::vector<SessionProcess> session_processes(const HostRoot& root) {
  std::vector<SessionProcess> sessions;
  for (const pid_t pid : list_processes(root)) {
    const auto process = read_process(root, pid);
    if (!process || !is_sshd(*process) || !is_session_title(process_title(root, pid))) continue;
    if (vouched_by_root(root, *process, is_sshd)) sessions.push_back({process_sockets(root, pid)});
  }
  return sessions;
}

// All that listen, and the connections that `sessions` hold.
std::vector<Socket> sockets_around(const HostRoot& root, std::span<const SessionProcess> sessions) {
  std::set<uint64_t> held;
  for (const SessionProcess& session : sessions) held.insert(session.sockets.begin(), session.sockets.end());
  std::vector<Socket> sockets;
  const auto listening = visit_sockets(root, Protocol::tcp, SocketState::listening, [&](const Socket& socket) {
    sockets.push_back(socket);
    return true;
  });
  const auto established = visit_sockets(root, Protocol::tcp, SocketState::established, [&](const Socket& socket) {
    if (held.contains(socket.inode)) sockets.push_back(socket);
    return true;
  });
  // Half an answer could mistake whom a session is forwarded to for its admin; the other witnesses may still know.
  if (!listening || !established) sockets.clear();
  return sockets;
}

}  // namespace

std::vector<Address> addresses_of_sessions(std::span<const LoginSession> sessions) {
  static constexpr std::array<std::string_view, 5> services{"sshd", "ssh", "dropbear", "cockpit", "login"};
  std::vector<Address> addresses;
  for (const LoginSession& session : sessions) {
    if (session.state != "active" && session.state != "online") continue;
    if (std::ranges::find(services, session.service) == services.end()) continue;
    if (const auto address = remote_address(session.remote_host)) addresses.push_back(*address);
  }
  return addresses;
}

std::vector<UtmpEntry> parse_utmp(std::string_view bytes) {
  std::vector<UtmpEntry> entries;
  for (; bytes.size() >= sizeof(utmp); bytes.remove_prefix(sizeof(utmp))) {
    utmp record{};
    std::memcpy(&record, bytes.data(), sizeof record);
    if (record.ut_type != USER_PROCESS || record.ut_pid <= 0) continue;
    std::array<uint8_t, 16> address{};
    std::memcpy(address.data(), record.ut_addr_v6, address.size());
    // An IPv4 address stands in the first word alone.
    const bool v4 = std::all_of(address.begin() + 4, address.end(), [](uint8_t byte) { return byte == 0; });
    UtmpEntry entry{record.ut_pid, Address::from_bytes(address),
                    std::string(record.ut_host, ::strnlen(record.ut_host, sizeof record.ut_host))};
    if (v4)
      entry.from =
          Address::v4(static_cast<uint32_t>(address[0] << 24 | address[1] << 16 | address[2] << 8) | address[3]);
    if (!entry.from.is_unicast() || entry.from.is_loopback()) entry.from = Address{};
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool is_session_title(std::string_view title) {
  static constexpr std::array<std::string_view, 2> programs{"sshd: ", "sshd-session: "};
  const auto* const program =
      std::ranges::find_if(programs, [&](std::string_view begin) { return title.starts_with(begin); });
  if (program == programs.end()) return false;
  title.remove_prefix(program->size());
  // Every stage before a session names itself in brackets; the title can be cut, so its end must be right, too.
  if (title.find('[') != std::string_view::npos) return false;
  const size_t at = title.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view place = title.substr(at + 1);
  return place == "notty" || place.starts_with("pts/") || place.starts_with("tty");
}

std::vector<Address> peers_of_sessions(std::span<const SessionProcess> sessions, std::span<const Socket> sockets) {
  std::vector<Address> peers;
  for (const SessionProcess& session : sessions) {
    const std::set<uint64_t> own(session.sockets.begin(), session.sockets.end());
    PortSet forwarded;  // ssh -R
    PortSet served;     // by others: by the sshd that let the session in
    for (const Socket& socket : sockets)
      if (socket.state == SocketState::listening)
        (own.contains(socket.inode) ? forwarded : served).add(socket.local_port);
    std::vector<Socket> candidates;
    for (const Socket& socket : sockets)
      if (socket.state == SocketState::established && own.contains(socket.inode) &&
          !forwarded.contains(socket.local_port))
        candidates.push_back(socket);
    // A lone connection is the session's own even when the sshd that accepted it is gone.
    if (candidates.size() > 1)
      std::erase_if(candidates, [&](const Socket& socket) { return !served.contains(socket.local_port); });
    for (const Socket& socket : candidates)
      if (socket.remote.is_unicast() && !socket.remote.is_loopback()) peers.push_back(socket.remote);
  }
  return peers;
}

std::vector<Address> live_admins(const HostRoot& root) {
  std::set<Address> admins;
  if (root.is_this_host())
    for (const Address& address : addresses_of_sessions(login_sessions())) admins.insert(address);
  if (const auto bytes = root.read("/run/utmp", size_t{4} << 20))
    for (const UtmpEntry& entry : parse_utmp(*bytes))
      if (const auto address = address_of_entry(root, entry)) admins.insert(*address);
  if (const auto sessions = session_processes(root); !sessions.empty())
    for (const Address& address : peers_of_sessions(sessions, sockets_around(root, sessions))) admins.insert(address);
  return {admins.begin(), admins.end()};
}

}  // namespace palang
