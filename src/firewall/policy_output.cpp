#include <fmt/format.h>

#include <array>

#include "firewall/nft_words.hpp"
#include "firewall/policy_parts.hpp"

namespace palang {
namespace {

std::optional<uint32_t> id_of(const std::map<std::string, uint32_t>& ids, const std::string& name) {
  const auto found = ids.find(name);
  if (found == ids.end()) return std::nullopt;
  return found->second;
}

void write_smtp(PolicyWriter& writer) {
  const FirewallSmtp& smtp = writer.settings.smtp;
  if (smtp.ports.empty()) return;
  const auto ids = [&](const std::vector<std::string>& names, const std::map<std::string, uint32_t>& known,
                       std::vector<uint32_t> found, std::string_view what) {
    for (const std::string& name : names) {
      const auto id = id_of(known, name);
      if (id)
        found.push_back(*id);
      else
        writer.policy.notes.push_back(fmt::format("firewall.smtp: there is no {} '{}' here", what, name));
    }
    std::vector<std::string> texts;
    for (const uint32_t one : found) texts.push_back(std::to_string(one));
    return fmt::format("{{ {} }}", fmt::join(texts, ", "));
  };
  const std::string ports = nft_ports(smtp.ports);
  const uint32_t root = 0;
  writer.rule("out", fmt::format("tcp dport {} jump {}", ports, writer.script.name("smtp")));
  writer.rule("smtp",
              fmt::format("meta skuid {} counter return", ids(smtp.users, writer.surroundings.users, {root}, "user")));
  if (!smtp.groups.empty())
    writer.rule("smtp", fmt::format("meta skgid {} counter return",
                                    ids(smtp.groups, writer.surroundings.groups, {root}, "group")));
  writer.rule("smtp", "meta skuid >= 0 counter reject with tcp reset");
}

void write_udp_flood(PolicyWriter& writer) {
  const auto& rate = writer.settings.udp_flood;
  if (!rate) return;
  for (const bool v4 : {true, false}) {
    const std::string set = v4 ? "udp_flood_4" : "udp_flood_6";
    writer.script.add_set(set, fmt::format("type {}; size 65535; flags dynamic,timeout; timeout {};",
                                           v4 ? "ipv4_addr" : "ipv6_addr", nft_timeout(bucket_memory(*rate))));
    writer.rule("out", fmt::format("meta l4proto udp update @{} {{ {} limit rate over {} }} counter drop",
                                   writer.script.name(set), nft_side(v4, false), nft_rate(*rate)));
  }
}

// None where the account does not exist: then the rule is for nobody.
std::optional<std::string> match_owner(PolicyWriter& writer, const FirewallRule& rule) {
  std::string match;
  for (const bool user : {true, false}) {
    const std::string& name = user ? rule.user : rule.group;
    if (name.empty()) continue;
    const auto id = id_of(user ? writer.surroundings.users : writer.surroundings.groups, name);
    if (!id) {
      writer.policy.notes.push_back(fmt::format("the rule of line {} is for nobody: there is no {} '{}' here",
                                                rule.written.line, user ? "user" : "group", name));
      return std::nullopt;
    }
    match += fmt::format("{}meta {} {}", match.empty() ? "" : " ", user ? "skuid" : "skgid", *id);
  }
  return match;
}

void write_out_rule(PolicyWriter& writer, const FirewallRule& rule) {
  const auto owner = match_owner(writer, rule);
  if (!owner) return;
  std::string time;
  if (rule.until)
    time = fmt::format("meta time < {}",
                       std::chrono::duration_cast<std::chrono::nanoseconds>(rule.until->time_since_epoch()).count());
  std::string source_ports;
  if (!rule.source_ports.empty())
    source_ports = fmt::format("{} sport {}", nft_protocol(rule.protocol), nft_ports(rule.source_ports));
  const bool allows = rule.action == FirewallRule::Action::allow;
  for (const std::string& match : writer.peers.matches(rule.peers, false)) {
    const std::array<std::string, 7> parts{match,
                                           match_ports(rule.protocol, rule.ports, PortSeen::here),
                                           source_ports,
                                           *owner,
                                           time,
                                           "counter " + (allows ? std::string("accept") : writer.go_to("refuse_out")),
                                           nft_comment(rule.note)};
    writer.rule("out", words(parts));
  }
}

void write_out_policy(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  if (settings.out_policy == FirewallSettings::Policy::accept) return;
  if (settings.ping_out) {
    writer.rule("out", "icmp type echo-request counter accept");
    writer.rule("out", "icmpv6 type echo-request counter accept");
  }
  if (!settings.tcp_out.empty())
    writer.rule("out", fmt::format("tcp dport {} counter accept", nft_ports(settings.tcp_out)));
  if (!settings.udp_out.empty())
    writer.rule("out", fmt::format("udp dport {} counter accept", nft_ports(settings.udp_out)));
  writer.rule("out", writer.go_to("refuse_out"));
}

void write_refuse_out(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  if (settings.log == FirewallSettings::Log::csf) {
    constexpr std::array<std::array<std::string_view, 2>, 4> names{{{"meta nfproto ipv4 meta l4proto tcp", "TCP_OUT"},
                                                                    {"meta nfproto ipv4 meta l4proto udp", "UDP_OUT"},
                                                                    {"meta nfproto ipv6 meta l4proto tcp", "TCP6OUT"},
                                                                    {"meta nfproto ipv6 meta l4proto udp", "UDP6OUT"}}};
    for (const auto& [match, name] : names)
      writer.rule("refuse_out", fmt::format("{} limit rate {} log prefix \"Firewall: *{} Blocked* \"", match,
                                            nft_rate(settings.log_rate), name));
  }
  // A program that waits in vain is worse than one that is told, unless silence is the policy.
  const bool silent = settings.out_policy == FirewallSettings::Policy::drop;
  if (!silent) writer.rule("refuse_out", "meta l4proto tcp counter reject with tcp reset");
  writer.rule("refuse_out", silent ? "counter drop" : "counter reject with icmpx admin-prohibited");
}

bool restricts_output(const FirewallSettings& settings) {
  if (settings.out_policy != FirewallSettings::Policy::accept || settings.udp_flood || !settings.ipv6) return true;
  if (!settings.smtp.ports.empty()) return true;
  for (const FirewallList& list : settings.lists)
    if (list.action == FirewallList::Action::deny) return true;
  for (const FirewallRule& rule : settings.rules)
    if (rule.direction == FirewallDirection::out) return true;
  return false;
}

void write_out_lists(PolicyWriter& writer) {
  for (const auto action : {FirewallList::Action::allow, FirewallList::Action::deny}) {
    const std::string verdict =
        action == FirewallList::Action::allow ? std::string("counter accept") : writer.go_to("refuse_out");
    for (const FirewallList& list : writer.settings.lists)
      if (list.action == action)
        for (const std::string& match : writer.peers.matches_of_list(list.name, false))
          writer.rule("out", fmt::format("{} {}", match, verdict));
  }
}

}  // namespace

void write_output(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  if (!restricts_output(settings)) return;
  writer.rule("out", "oif lo accept");
  write_udp_flood(writer);
  writer.rule("out", "ct state established,related accept");
  writer.rule("out",
              "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
              "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept");
  writer.rule("out",
              "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept");
  if (!settings.ipv6) writer.rule("out", fmt::format("meta nfproto ipv6 {}", writer.go_to("refuse_out")));
  write_smtp(writer);
  write_out_lists(writer);
  for (const FirewallRule& rule : settings.rules)
    if (rule.direction == FirewallDirection::out && !writer.is_over(rule)) write_out_rule(writer, rule);
  write_out_policy(writer);
  write_refuse_out(writer);
}

// Only what is sent on because somebody called a port here; all else that is forwarded is none of our business.
void write_forward(PolicyWriter& writer) {
  const FirewallSettings& settings = writer.settings;
  if (settings.docker != FirewallSettings::Docker::filter) return;
  writer.rule("forward", "ct state established,related accept");
  writer.rule("forward", fmt::format("ct status dnat {}", writer.go_to("published")));
  if (!settings.ipv6) writer.rule("published", fmt::format("meta nfproto ipv6 {}", writer.go_to("refuse")));
  for (const auto action : {FirewallList::Action::allow, FirewallList::Action::deny}) {
    const std::string verdict =
        action == FirewallList::Action::allow ? std::string("counter accept") : writer.go_to("denied");
    for (const FirewallList& list : settings.lists)
      if (list.action == action)
        for (const std::string& match : writer.peers.matches_of_list(list.name, true))
          writer.rule("published", fmt::format("{} {}", match, verdict));
  }
  for (const FirewallRedirect& redirect : settings.redirects)
    if (redirect.to_address)
      writer.rule("published",
                  match_ports(redirect.protocol, {{redirect.port, redirect.port}}, PortSeen::before_translation) +
                      " counter accept");
  write_rules(writer, "published", PortSeen::before_translation);
  writer.rule("published", writer.go_to("refuse"));
}

void write_redirects(PolicyWriter& writer) {
  for (const FirewallRedirect& redirect : writer.settings.redirects) {
    const std::string_view protocol = nft_protocol(redirect.protocol);
    const auto family = [](const Address& address) { return address.is_v4() ? "ip" : "ip6"; };
    std::string match = "fib daddr type local";
    if (redirect.address) match = fmt::format("{} daddr {}", family(*redirect.address), redirect.address->text());
    if (!redirect.to_address) {
      writer.rule("redirect", fmt::format("{} {} dport {} counter redirect to :{}", match, protocol, redirect.port,
                                          redirect.to_port));
      continue;
    }
    const Address& to = *redirect.to_address;
    const std::string target = to.is_v4() ? to.text() : "[" + to.text() + "]";
    writer.rule("redirect",
                fmt::format("meta nfproto {} {} {} dport {} counter dnat {} to {}:{}", to.is_v4() ? "ipv4" : "ipv6",
                            match, protocol, redirect.port, family(to), target, redirect.to_port));
    writer.rule("masquerade", fmt::format("ct status dnat {} daddr {} {} dport {} counter masquerade", family(to),
                                          to.text(), protocol, redirect.to_port));
  }
}

void write_syn_proxy(PolicyWriter& writer) {
  if (writer.settings.syn_proxy.empty()) return;
  writer.rule("notrack", fmt::format("fib daddr type local tcp dport {} tcp flags & (fin|syn|rst|ack) == syn notrack",
                                     nft_ports(writer.settings.syn_proxy)));
}

}  // namespace palang
