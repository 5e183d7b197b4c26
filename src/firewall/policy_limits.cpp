#include <fmt/format.h>

#include <array>

#include "firewall/nft_words.hpp"
#include "firewall/policy_parts.hpp"

namespace palang {
namespace {

constexpr std::string_view lone_syn = "tcp flags & (fin|syn|rst|ack) == syn";

std::string address_type(bool v4) {
  return v4 ? "ipv4_addr" : "ipv6_addr";
}

std::string first_of_connection(FirewallProtocol protocol) {
  return protocol == FirewallProtocol::tcp ? std::string(lone_syn) : std::string("ct state new");
}

// Each port is limited by itself: it is part of the key.
void write_limit(PolicyWriter& writer, const FirewallLimit& limit, size_t number) {
  const std::string_view protocol = nft_protocol(limit.protocol);
  for (const bool v4 : {true, false}) {
    const std::string key = fmt::format("{} . {} dport", nft_counted(v4, true), protocol);
    const std::string match =
        fmt::format("{} dport {} {}", protocol, nft_ports(limit.ports), first_of_connection(limit.protocol));
    if (limit.connections > 0) {
      const std::string set = fmt::format("connections{}_{}", number, v4 ? 4 : 6);
      writer.script.add_set(set, fmt::format("type {} . inet_service; size 65535; flags dynamic;", address_type(v4)));
      writer.rule("open", fmt::format("{} add @{} {{ {} ct count over {} }} {}", match, writer.script.name(set), key,
                                      limit.connections, writer.go_to("limited")));
    }
    if (limit.rate) {
      const std::string set = fmt::format("rate{}_{}", number, v4 ? 4 : 6);
      writer.script.add_set(set, fmt::format("type {} . inet_service; size 65535; flags dynamic,timeout; timeout {};",
                                             address_type(v4), nft_timeout(bucket_memory(*limit.rate))));
      writer.rule("open", fmt::format("{} update @{} {{ {} limit rate over {} }} {}", match, writer.script.name(set),
                                      key, nft_rate(*limit.rate), writer.go_to("limited")));
    }
  }
}

void write_syn_flood(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  if (settings.syn_flood) {
    for (const bool v4 : {true, false}) {
      const std::string set = v4 ? "syn_4" : "syn_6";
      writer.script.add_set(set, fmt::format("type {}; size 65535; flags dynamic,timeout; timeout {};",
                                             address_type(v4), nft_timeout(bucket_memory(*settings.syn_flood))));
      writer.rule("open", fmt::format("{} update @{} {{ {} limit rate over {} }} {}", lone_syn, writer.script.name(set),
                                      nft_counted(v4, true), nft_rate(*settings.syn_flood), writer.go_to("limited")));
    }
  }
  if (settings.syn_flood_global)
    writer.rule("open", fmt::format("{} limit rate over {} {}", lone_syn, nft_rate(*settings.syn_flood_global),
                                    writer.go_to("limited")));
}

std::string last_word(FirewallSettings::Policy policy, std::string_view protocol) {
  if (policy != FirewallSettings::Policy::reject) return "counter drop";
  return protocol == "tcp" ? "counter reject with tcp reset" : "counter reject with icmpx port-unreachable";
}

struct CsfName {
  std::string_view match;
  std::string_view name;
};
constexpr std::array<CsfName, 6> csf_names{{{"meta nfproto ipv4 meta l4proto tcp", "TCP_IN"},
                                            {"meta nfproto ipv4 meta l4proto udp", "UDP_IN"},
                                            {"meta nfproto ipv4 meta l4proto icmp", "ICMP_IN"},
                                            {"meta nfproto ipv6 meta l4proto tcp", "TCP6IN"},
                                            {"meta nfproto ipv6 meta l4proto udp", "UDP6IN"},
                                            {"meta nfproto ipv6 meta l4proto ipv6-icmp", "ICMP6IN"}}};

void tell_daemon(PolicyWriter& writer, std::string_view chain, std::string_view match, std::string_view prefix) {
  if (writer.settings.nflog_group > 0)
    writer.rule(chain, fmt::format("{} log prefix \"{}\" group {}", match, prefix, writer.settings.nflog_group));
}

}  // namespace

void write_limits(PolicyWriter& writer) {
  writer.script.add_chain("open");
  write_syn_flood(writer);
  for (size_t i = 0; i < writer.settings.limits.size(); ++i) write_limit(writer, writer.settings.limits[i], i + 1);
  writer.rule("open", "accept");
}

// The words of the prefixes are CSF's; those of fw_refuse say that a port is closed to everyone, as the daemon, too,
// understands them.
void write_refusals(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  writer.rule("refuse", "meta pkttype { broadcast, multicast } counter drop");
  for (const CsfName& name : csf_names) {
    const std::string prefix = fmt::format("Firewall: *{} Blocked* ", name.name);
    if (settings.log == FirewallSettings::Log::csf)
      writer.rule("refuse",
                  fmt::format("{} limit rate {} log prefix \"{}\"", name.match, nft_rate(settings.log_rate), prefix));
    tell_daemon(writer, "refuse", name.match, prefix);
  }
  writer.rule("refuse", fmt::format("meta l4proto tcp {}", last_word(settings.policy, "tcp")));
  writer.rule("refuse", last_word(settings.policy, "other"));

  if (settings.log == FirewallSettings::Log::csf)
    writer.rule("denied",
                fmt::format("limit rate {} log prefix \"Firewall: *DENY_IN* \"", nft_rate(settings.log_rate)));
  tell_daemon(writer, "denied", "ct state new", "Firewall: *DENY_IN* ");
  writer.rule("denied", fmt::format("meta l4proto tcp {}", last_word(settings.policy, "tcp")));
  writer.rule("denied", last_word(settings.policy, "other"));

  // Who is only too fast is no offender: the daemon doesn't hear of it.
  if (!writer.script.has_chain("open")) return;
  if (settings.log == FirewallSettings::Log::csf)
    writer.rule("limited",
                fmt::format("limit rate {} log prefix \"Firewall: *LIMIT_IN* \"", nft_rate(settings.log_rate)));
  writer.rule("limited", "counter drop");
}

}  // namespace palang
