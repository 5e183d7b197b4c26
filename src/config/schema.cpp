#include "config/schema.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <vector>

namespace palang {
namespace {

constexpr Duration one_year = one_day * 365;
constexpr Duration longest = one_year * 10;
constexpr uint32_t most_entries = 16'000'000;

constexpr std::array<std::string_view, 2> profiles{"default", "classic"};
constexpr std::array<std::string_view, 2> scopes{"by-proof", "full"};
constexpr std::array<std::string_view, 4> source_types{"file", "journald", "kmsg", "nflog"};
constexpr std::array<std::string_view, 2> starts{"beginning", "end"};
constexpr std::array<std::string_view, 5> backends{"auto", "xdp", "nftables", "ipset", "dry-run"};
constexpr std::array<std::string_view, 5> levels{"error", "warning", "notice", "info", "debug"};

std::string socket_complaint(std::string_view path) {
  constexpr size_t room = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > room) return fmt::format("is too long for a socket: {} bytes at most", room);
  return path_complaint(path);
}

// As the kernel's dev_valid_name() has it.
std::string interface_complaint(std::string_view name) {
  constexpr size_t room = IFNAMSIZ - 1;
  const bool fits = !name.empty() && name.size() <= room && name != "." && name != ".." &&
                    name.find_first_of(std::string_view("/: \t\n\v\f\r\0", 9)) == std::string_view::npos;
  return fits ? "" : "is not a name that an interface can have";
}

std::string group_complaint(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= 32 && name[0] != '-' && std::ranges::all_of(name, fits)) return {};
  return "is not a name that a group can have";
}

std::string directory_complaint(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path_complaint(path);
}

std::string optional_directory_complaint(std::string_view path) {
  return path.empty() ? std::string() : directory_complaint(path);
}

// As rules and jails are named, or the beginning of names with a star.
std::string rule_name_complaint(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  };
  if (name.ends_with('*')) name.remove_suffix(1);
  if (name.size() <= 64 && std::ranges::all_of(name, fits)) return {};
  return "is not a name that a rule can have";
}

ChoiceField profile_field() {
  return {profiles, [](const Config& c) -> size_t { return c.profile == "classic" ? 1 : 0; },
          [](Config& c, size_t index) {
            c.profile = profiles[index];
            c.policy.ban = index == 1 ? classic_profile() : default_profile();
          }};
}

ChoiceField scope_field() {
  return {scopes, [](const Config& c) -> size_t { return c.policy.ban.always_full ? 1 : 0; },
          [](Config& c, size_t index) { c.policy.ban.always_full = index == 1; }};
}

ChoiceField source_type_field() {
  return {source_types, [](const Config& c) { return static_cast<size_t>(c.sources.back().type); },
          [](Config& c, size_t index) { c.sources.back().type = static_cast<SourceSettings::Type>(index); }};
}

ChoiceField source_start_field() {
  return {starts, [](const Config& c) { return static_cast<size_t>(c.sources.back().start); },
          [](Config& c, size_t index) { c.sources.back().start = static_cast<SourceSettings::Start>(index); }};
}

ChoiceField backend_field() {
  return {backends, [](const Config& c) { return static_cast<size_t>(c.enforce.backend); },
          [](Config& c, size_t index) { c.enforce.backend = static_cast<EnforceSettings::Backend>(index); }};
}

ChoiceField level_field() {
  constexpr auto first = static_cast<size_t>(LogLevel::error);
  return {levels, [](const Config& c) { return static_cast<size_t>(c.log.level) - first; },
          [](Config& c, size_t index) { c.log.level = static_cast<LogLevel>(index + first); }};
}

constexpr std::array<Section, 23> sections{{
    {"",
     "palang.toml: what palang may be told. A key that is commented out shows its default; without this file all "
     "defaults hold."},
    {"ban",
     "How long an address is banned, and how widely. These defaults are those of profile = \"default\"; a key given "
     "here overrides the profile's."},
    {"ban.widen", "From the address to its network, once enough distinct offenders share it."},
    {"detect", "What makes an offender."},
    {"detect.blocked", "Packets that a firewall refused and logged, counted by source address."},
    {"detect.portscan", "Distinct ports that one address tried."},
    {"detect.connections",
     "How many connections one address has at a time, by the kernel's connection tracking (CSF's CT_LIMIT)."},
    {"detect.tripwire", "What XDP sees by itself, where it is the enforcer: packets to ports on which nobody listens."},
    {"allow",
     "Who is never banned and never counted, besides those palang protects by itself: admins logged in over ssh, "
     "loopback, this host's own addresses, its gateways and its resolvers."},
    {"public",
     "The ports that are open to the public. Evidence that can be forged never closes them to anyone: such a ban "
     "drops its packets on all other ports only."},
    {"source",
     "Where log lines come from. Without any, palang finds out what the host has and says so. Repeat the section for "
     "each source, for example:\n"
     "  [[source]]\n"
     "  type = \"file\"\n"
     "  path = \"/var/log/kern.log\"\n"
     "Keys:",
     true},
    {"rules",
     "What is understood of the logs of services: failed logins, web probes, hits of a WAF. 'palang rules list' shows "
     "the rules, docs/rules.md how to write one."},
    {"enforce", "What is done about a ban."},
    {"firewall",
     "The standing policy of this host, IPv4 and IPv6 at once. Without this section palang keeps to its bans and lives "
     "beside any other firewall; with it, 'palang firewall plan' shows what would change and 'palang firewall apply' "
     "puts it in force. For example:\n"
     "  [firewall]\n"
     "  tcp_in = [\"80\", \"443\"]\n"
     "\n"
     "  [[firewall.rule]]\n"
     "  protocol = \"tcp\"\n"
     "  ports = [\"22\"]\n"
     "  peer = [\"198.51.100.7\", \"203.0.113.0/24\"]",
     false, true},
    {"firewall.rule", "In their order, before the open ports. Repeat the section for each. Keys:", true, true},
    {"firewall.limit", "How much one source (of IPv6: one /64) may do. Repeat the section for each. Keys:", true, true},
    {"firewall.list",
     "Addresses, prefixes and names of hosts, one a line, with # comments. Repeat the section for each. Keys:", true,
     true},
    {"firewall.knock",
     "A port that opens to who has knocked at others, in order. Repeat the section for each. Keys:", true, true},
    {"firewall.redirect", "Ports that lead elsewhere. Repeat the section for each. Keys:", true, true},
    {"firewall.smtp", "Who on this host may send mail to others.", false, true},
    {"ledger", "Where decisions, their evidence and the read positions are kept."},
    {"api", "The socket on which the palang commands reach the daemon."},
    {"log", "What the daemon itself says, on standard error or in the journal."},
}};

std::vector<Key> ban_keys() {
  return {
      {"profile", profile_field(),
       "The policy to begin with. \"default\": the address, its network at 4 offenders, 1 day doubling to 28, and a "
       "ban ends only after quiet. \"classic\": the whole /24 (IPv6: /64) of every offender, for 3 days, everywhere."},

      {"ban.for", DurationField{[](Config& c) -> Duration& { return c.policy.ban.first; }, 1s, longest},
       "Length of the first ban of a subject. Each further one while the earlier are remembered is twice as long."},
      {"ban.at_most", DurationField{[](Config& c) -> Duration& { return c.policy.ban.at_most; }, 1s, longest},
       "The longest ban, and how far a packet from a banned source can move its end."},
      {"ban.quiet", DurationField{[](Config& c) -> Duration& { return c.policy.ban.quiet; }, 0s, longest},
       "A packet from a banned source moves the end to at least this long after it (doubled like the ban). \"0s\": "
       "bans end by the calendar."},
      {"ban.remember", DurationField{[](Config& c) -> Duration& { return c.policy.ban.remember; }, 0s, longest},
       "How long an earlier ban counts for the doubling. \"0s\": every ban is like the first."},
      {"ban.scope", scope_field(),
       "What a ban closes. \"by-proof\": every port that is not open to the public and, once it is proven that the "
       "address really sent its packets, every port. \"full\": every port at once, although anyone can forge a lone "
       "packet and so have others banned."},
      {"ban.budget", CountField{[](Config& c) -> uint32_t& { return c.policy.ban.budget; }, 1, most_entries},
       "Bans at one time; beyond it the least recently seen unproven one gives way."},
  };
}

std::vector<Key> connection_keys() {
  return {
      {"detect.connections.limit",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.connections.limit; }, 0, 1'000'000},
       "More are an offence, of the rule connections. If they are established, which nobody can forge, the ban closes "
       "every port. 0: they are not counted."},
      {"detect.connections.interval",
       DurationField{[](Config& c) -> Duration& { return c.policy.detect.connections.interval; }, 1s, 1h},
       "How often they are counted."},
      {"detect.connections.ports", PortsField{[](Config& c) -> PortSet& { return c.policy.detect.connections.ports; }},
       "Only connections to these ports; without any, to all."},
      {"detect.connections.skip_time_wait",
       FlagField{[](Config& c) -> bool& { return c.policy.detect.connections.skip_time_wait; }},
       "Don't count those that are over and only wait (TIME_WAIT)."},
      {"detect.connections.for",
       DurationField{[](Config& c) -> Duration& { return c.policy.detect.connections.ban; }, 1s, longest},
       "Length of the first ban."},
  };
}

std::vector<Key> offender_keys() {
  return {
      {"ban.widen.after", CountField{[](Config& c) -> uint32_t& { return c.policy.ban.widen.after; }, 0, 65'536},
       "Distinct offenders that make their network banned. 1: the network at first sight; 0: never."},
      {"ban.widen.within", DurationField{[](Config& c) -> Duration& { return c.policy.ban.widen.within; }, 1s, longest},
       "The time within which they fell."},
      {"ban.widen.to", WidthsField{[](Config& c) -> WidenSettings& { return c.policy.ban.widen; }},
       "Length of the IPv4 network and of the first IPv6 network, which may grow on by 8 bits up to /48."},

      {"detect.tracked_sources",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.tracked_sources; }, 1'000, most_entries},
       "Source addresses remembered at one time by each detector; beyond it the one seen longest ago is forgotten."},

      {"detect.blocked.enabled", FlagField{[](Config& c) -> bool& { return c.policy.detect.blocked.enabled; }},
       "Whether refused packets are counted at all."},
      {"detect.blocked.after",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.blocked.after; }, 1, 1'000},
       "Refused packets that make an offender."},
      {"detect.blocked.within",
       DurationField{[](Config& c) -> Duration& { return c.policy.detect.blocked.within; }, 1s, one_year},
       "The time within which they came."},

      {"detect.portscan.enabled", FlagField{[](Config& c) -> bool& { return c.policy.detect.portscan.enabled; }},
       "Whether port scans are looked for."},
      {"detect.portscan.ports",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.portscan.ports; }, 2, 1'000},
       "Distinct ports that make a scan."},
      {"detect.portscan.within",
       DurationField{[](Config& c) -> Duration& { return c.policy.detect.portscan.within; }, 1s, one_year},
       "The time within which they were tried."},

      {"detect.tripwire.enabled", FlagField{[](Config& c) -> bool& { return c.policy.detect.tripwire.enabled; }},
       "Whether XDP counts packets to ports on which nobody listens, and bans their senders from all ports that are "
       "not "
       "open to the public, at once and without a log line."},
      {"detect.tripwire.after",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.tripwire.after; }, 1, 1'000},
       "Such packets that make an offender."},
      {"detect.tripwire.within",
       DurationField{[](Config& c) -> Duration& { return c.policy.detect.tripwire.within; }, 1s, 18h},
       "The time within which they came."},
      {"detect.tripwire.bans_per_second",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.tripwire.bans_per_second; }, 1, 100'000},
       "Bans that XDP makes in a second at most; a flood of forged senders gets no more."},
      {"detect.tripwire.bans_per_network",
       CountField{[](Config& c) -> uint32_t& { return c.policy.detect.tripwire.bans_per_network; }, 1, 65'536},
       "Of those, in one IPv4 /24 or IPv6 /48."},
      {"detect.tripwire.decoys", PortsField{[](Config& c) -> PortSet& { return c.policy.detect.tripwire.decoys; }},
       "Closed TCP ports at which XDP answers in the place of a service. Who completes a connection there is who he "
       "says "
       "he is, and is banned from every port."},
  };
}

std::vector<Key> exempt_and_public_keys() {
  return {
      {"allow.prefixes", AllowField{},
       "Addresses and prefixes: \"198.51.100.7\", \"2001:db8::/32\", or with a note "
       "{ prefix = \"203.0.113.0/24\", note = \"monitoring\" }."},

      {"public.tcp", PortsField{[](Config& c) -> PortSet& { return c.open.declared.tcp; }},
       "TCP ports that are open to the public in addition to those found, for example ports that are forwarded."},
      {"public.udp", PortsField{[](Config& c) -> PortSet& { return c.open.declared.udp; }}, "The same for UDP."},
      {"public.detect", FlagField{[](Config& c) -> bool& { return c.open.detect; }},
       "Find the ports on which services listen, except those that another firewall is seen to refuse."},
  };
}

std::vector<Key> source_and_rules_keys() {
  return {
      {"source.type", source_type_field(),
       "A log file, the systemd journal (of the services that rules are for and, unless /dev/kmsg is a source too, of "
       "the kernel), the kernel log /dev/kmsg, or the packets themselves that a firewall logs by NFLOG (nft: log group "
       "7; iptables: -j NFLOG --nflog-group 7)."},
      {"source.path",
       TextField{[](Config& c) -> std::string& { return c.sources.back().path; }, path_complaint, "an absolute path"},
       "The log file; only with type = \"file\", and required there."},
      {"source.group", CountField{[](Config& c) -> uint32_t& { return c.sources.back().group; }, 0, 65'535},
       "The NFLOG group; only with type = \"nflog\", and required there. A group has one reader at a time."},
      {"source.start", source_start_field(),
       "Where to begin what was never read before. Lines older than the ban they would cause change nothing."},

      {"rules.shipped", FlagField{[](Config& c) -> bool& { return c.rules.shipped; }},
       "Load the rules that come with palang."},
      {"rules.directories",
       TextsField{[](Config& c) -> std::vector<std::string>& { return c.rules.directories; }, directory_complaint,
                  "absolute paths", "[\"/etc/palang/rules.d\"]"},
       "Directories of further rule files, *.toml, which need not exist. A rule of a later one replaces an earlier "
       "rule of the same name."},
      {"rules.enabled",
       TextsField{[](Config& c) -> std::vector<std::string>& { return c.rules.enabled; }, rule_name_complaint,
                  "names of rules", "[\"sshd-*\", \"nginx-login\"]"},
       "The rules that are used, by name; a name may end with a star."},
      {"rules.disabled",
       TextsField{[](Config& c) -> std::vector<std::string>& { return c.rules.disabled; }, rule_name_complaint,
                  "names of rules", "[\"exim-*\"]"},
       "Rules that are not used all the same."},
      {"rules.fail2ban",
       TextField{[](Config& c) -> std::string& { return c.rules.fail2ban; }, optional_directory_complaint,
                 "the path of a directory"},
       "A configuration of fail2ban, \"/etc/fail2ban\", whose enabled jails are loaded as rules, unmodified; 'palang "
       "import fail2ban' shows what they become. \"\": none."},
      {"rules.follow", FlagField{[](Config& c) -> bool& { return c.rules.follow; }},
       "Read the log files that the rules in use name, besides the sources, as soon as they exist."},
  };
}

std::vector<Key> enforce_keys() {
  return {
      {"enforce.backend", backend_field(),
       "What drops the packets of the banned. \"auto\": XDP where it costs nobody else anything, else nftables: the "
       "drivers of all guarded interfaces must have it and not merge received packets (LRO, GRO in the device), and "
       "the host must forward none. \"xdp\": XDP in whatever way it can be had, else nftables. \"nftables\": the table "
       "inet palang. \"ipset\": ipset and iptables, for hosts that must keep them; in sets and chains that begin with "
       "palang- and PALANG-. \"dry-run\": everything is decided and logged, and the kernel is left alone. palang "
       "status tells what it came to, and why."},
      {"enforce.interfaces",
       TextsField{[](Config& c) -> std::vector<std::string>& { return c.enforce.interfaces; }, interface_complaint,
                  "names of interfaces", "[\"eth0\"]"},
       "The interfaces that XDP guards. Without any, those that default routes lead to. One that is renamed or made "
       "anew is followed."},
      {"enforce.nftables_too", FlagField{[](Config& c) -> bool& { return c.enforce.nftables_too; }},
       "Whether nftables holds all bans besides XDP, for what comes in by other interfaces."},
      {"enforce.bpffs",
       TextField{[](Config& c) -> std::string& { return c.enforce.bpffs; }, path_complaint, "an absolute path"},
       "The BPF file system in which XDP's bans outlive the daemon; mounted there if it is not."},
  };
}

std::vector<Key> daemon_keys() {
  return {
      {"ledger.path",
       TextField{[](Config& c) -> std::string& { return c.ledger.path; }, path_complaint, "an absolute path"},
       "The database file (SQLite); its directory must be writable."},
      {"ledger.keep", DurationField{[](Config& c) -> Duration& { return c.ledger.keep; }, one_day, longest},
       "How long ended decisions and their evidence are kept; at least as long as ban.remember and ban.widen.within."},

      {"api.socket",
       TextField{[](Config& c) -> std::string& { return c.api.socket; }, socket_complaint, "an absolute path"},
       "The unix socket."},
      {"api.group", TextField{[](Config& c) -> std::string& { return c.api.group; }, group_complaint, "a group's name"},
       "Members of this group may speak to the daemon, besides root."},

      {"log.level", level_field(), "The least important line that is written."},
  };
}

std::vector<Key> all_keys() {
  std::vector<Key> keys;
  for (const auto& part : {ban_keys(), offender_keys(), connection_keys(), exempt_and_public_keys(),
                           source_and_rules_keys(), enforce_keys(), firewall_keys(), daemon_keys()})
    keys.insert(keys.end(), part.begin(), part.end());
  return keys;
}

}  // namespace

std::string path_complaint(std::string_view path) {
  if (!path.starts_with('/')) return "must be an absolute path, beginning with /";
  if (path.find('\0') != std::string_view::npos) return "must not contain a NUL byte";
  if (path.size() > 4000) return "is too long for a path";
  if (path.ends_with('/')) return "must name a file, not a directory";
  return {};
}

std::span<const Section> config_sections() {
  return sections;
}

std::span<const Key> config_keys() {
  static const std::vector<Key> keys = all_keys();
  return keys;
}

std::string_view section_of(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view leaf_of(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

}  // namespace palang
