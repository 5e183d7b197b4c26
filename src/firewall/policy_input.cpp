#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "firewall/nft_words.hpp"
#include "firewall/policy_parts.hpp"

namespace palang {
namespace {

// The rules of a raw file, one a line, as they are.
void write_raw(PolicyWriter& writer, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const auto found = writer.surroundings.raw.find(path);
    if (found == writer.surroundings.raw.end()) continue;
    std::string_view rest = found->second;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) writer.rule("in", line);
    }
  }
}

void write_ping(PolicyWriter& writer) {
  constexpr uint32_t burst_of_ping = 5;
  const FirewallSettings& settings = writer.settings;
  constexpr std::array<std::string_view, 2> requests{"icmp type echo-request", "icmpv6 type echo-request"};
  for (const bool v4 : {true, false}) {
    const std::string_view request = requests[v4 ? 0 : 1];
    if (settings.answers_ping && !settings.ping) writer.rule("in", fmt::format("{} counter accept", request));
    if (!settings.answers_ping || !settings.ping) continue;
    const std::string set = v4 ? "ping_4" : "ping_6";
    writer.script.add_set(
        set, fmt::format("type {}; size 65535; flags dynamic,timeout; timeout {};", v4 ? "ipv4_addr" : "ipv6_addr",
                         nft_timeout(bucket_memory(*settings.ping) * burst_of_ping)));
    writer.rule("in",
                fmt::format("{} update @{} {{ {} limit rate {} }} counter accept", request, writer.script.name(set),
                            nft_counted(v4, true), nft_rate(*settings.ping, burst_of_ping)));
  }
  // Too many, or off: that is no offence, and nobody's news.
  writer.rule("in", "icmp type echo-request counter drop");
  writer.rule("in", "icmpv6 type echo-request counter drop");
}

void write_invalid(PolicyWriter& writer) {
  if (!writer.settings.drop_invalid) return;
  writer.rule("in", "ct state invalid counter drop");
  writer.rule("in", fmt::format("meta l4proto tcp jump {}", writer.script.name("odd")));
  constexpr std::array<std::string_view, 6> odd{"tcp flags & (fin|syn|rst|psh|ack|urg) == 0",
                                                "tcp flags & (fin|syn) == fin|syn",
                                                "tcp flags & (syn|rst) == syn|rst",
                                                "tcp flags & (fin|rst) == fin|rst",
                                                "tcp flags & (fin|ack) == fin",
                                                "tcp flags & (ack|urg) == urg"};
  for (const std::string_view flags : odd) writer.rule("odd", fmt::format("{} counter drop", flags));
  writer.rule("odd", "ct state new tcp flags & (fin|syn|rst|ack) != syn counter drop");
}

void write_listed(PolicyWriter& writer) {
  for (const FirewallList& list : writer.settings.lists) {
    if (list.action != FirewallList::Action::allow) continue;
    for (const std::string& match : writer.peers.matches_of_list(list.name, true))
      writer.rule("in", fmt::format("{} counter accept", match));
  }
  for (const FirewallList& list : writer.settings.lists) {
    if (list.action != FirewallList::Action::deny) continue;
    for (const std::string& match : writer.peers.matches_of_list(list.name, true))
      writer.rule("in", fmt::format("{} {}", match, writer.go_to("denied")));
  }
}

void write_redirected(PolicyWriter& writer) {
  for (const FirewallRedirect& redirect : writer.settings.redirects) {
    if (redirect.to_address) continue;
    const std::string_view protocol = nft_protocol(redirect.protocol);
    writer.rule("in", fmt::format("ct status dnat {} dport {} ct original proto-dst {} {}", protocol, redirect.to_port,
                                  redirect.port, writer.go_to("open")));
  }
}

}  // namespace

void write_essentials(PolicyWriter& writer, std::string_view chain) {
  writer.rule(chain, "icmp type { destination-unreachable, time-exceeded, parameter-problem } counter accept");
  writer.rule(chain,
              "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } counter "
              "accept");
  writer.rule(chain,
              "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
              "ind-neighbor-solicit, ind-neighbor-advert } ip6 hoplimit 255 counter accept");
  writer.rule(chain,
              "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 "
              "saddr fe80::/10 counter accept");
  writer.rule(chain, "ip6 saddr fe80::/10 udp sport 547 udp dport 546 counter accept");
}

void write_input(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  writer.rule("in", "iif lo accept");
  if (!settings.syn_proxy.empty())
    writer.rule("in", fmt::format("tcp dport {} ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp "
                                  "sack-perm",
                                  nft_ports(settings.syn_proxy)));
  write_raw(writer, settings.raw_before);
  writer.rule("in", "ct state established,related accept");
  write_essentials(writer, "in");
  if (!settings.ipv6) writer.rule("in", fmt::format("meta nfproto ipv6 {}", writer.go_to("refuse")));
  write_invalid(writer);
  write_listed(writer);
  write_ping(writer);
  write_redirected(writer);
  write_rules(writer, "in", PortSeen::here);
  write_raw(writer, settings.raw_after);
  writer.rule("in", writer.go_to("refuse"));
}

}  // namespace palang
