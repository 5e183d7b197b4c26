#include <fmt/format.h>

#include <array>
#include <vector>

#include "config/firewall_values.hpp"
#include "config/schema.hpp"

namespace palang {
namespace {

using Settings = FirewallSettings;

constexpr std::array<std::string_view, 2> policies{"drop", "reject"};
constexpr std::array<std::string_view, 3> out_policies{"accept", "drop", "reject"};
constexpr std::array<std::string_view, 2> logs{"none", "csf"};
constexpr std::array<std::string_view, 2> dockers{"leave", "filter"};
constexpr std::array<std::string_view, 2> rule_actions{"allow", "deny"};
constexpr std::array<std::string_view, 2> directions{"in", "out"};
constexpr std::array<std::string_view, 4> protocols{"any", "tcp", "udp", "icmp"};
constexpr std::array<std::string_view, 4> list_actions{"allow", "deny", "ignore", "none"};
constexpr Duration longest_wait = 1h;

Settings& settings_of(Config& c) {
  return *c.firewall;
}

template <typename Enum, auto At, size_t Offset = 0>
ChoiceField choice(std::span<const std::string_view> words) {
  return {words, [](const Config& c) { return static_cast<size_t>(At(const_cast<Config&>(c))) - Offset; },
          [](Config& c, size_t index) { At(c) = static_cast<Enum>(index + Offset); }};
}

template <auto At>
ParsedListField ports_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto span = parse_port_span(text);
            if (!span) return span.error().text;
            At(c).push_back(*span);
            return {};
          },
          [](Config& c) {
            std::vector<std::string> texts;
            for (const PortSpan& span : At(c)) texts.push_back(print_port_span(span));
            return texts;
          },
          "ports, ranges of ports and names of services", R"(["80", "https", "2000-2100"])"};
}

template <auto At>
ParsedField rate_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            At(c).reset();
            if (text.empty()) return {};
            const auto rate = parse_rate(text);
            if (!rate) return rate.error().text;
            At(c) = *rate;
            return {};
          },
          [](Config& c) { return At(c) ? print_rate(*At(c)) : std::string(); },
          R"(a rate, as in "100/second burst 150", or "" for none)"};
}

ParsedField log_rate_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto rate = parse_rate(text);
            if (!rate) return rate.error().text;
            settings_of(c).log_rate = *rate;
            return {};
          },
          [](Config& c) { return print_rate(settings_of(c).log_rate); }, R"(a rate, as in "30/minute")"};
}

ParsedField ping_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            Settings& settings = settings_of(c);
            settings.answers_ping = text != "off";
            settings.ping.reset();
            if (text.empty() || text == "off") return {};
            const auto rate = parse_rate(text);
            if (!rate) return rate.error().text;
            settings.ping = *rate;
            return {};
          },
          [](Config& c) {
            const Settings& settings = settings_of(c);
            return !settings.answers_ping ? "off" : settings.ping ? print_rate(*settings.ping) : std::string();
          },
          R"(a rate, as in "1/second", "" for any rate, or "off")"};
}

template <auto At>
ParsedField address_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            At(c).reset();
            if (text.empty()) return {};
            const auto address = Address::parse(text);
            if (!address) return address.error().text;
            At(c) = *address;
            return {};
          },
          [](Config& c) { return At(c) ? At(c)->text() : std::string(); }, R"(an address, or "")"};
}

ParsedListField peers_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto peer = parse_firewall_peer(text);
            if (!peer) return peer.error().text;
            settings_of(c).rules.back().peers.push_back(*peer);
            return {};
          },
          [](Config&) { return std::vector<std::string>(); }, "addresses, prefixes, list:NAME and names of hosts",
          R"(["198.51.100.0/24", "list:office", "admin.example.net"])"};
}

ParsedField until_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            auto& until = settings_of(c).rules.back().until;
            until.reset();
            if (text.empty()) return {};
            const auto time = parse_end_time(text);
            if (!time) return time.error().text;
            until = *time;
            return {};
          },
          [](Config&) { return std::string(); }, R"(a time, as in "2026-12-31T23:59:59Z", or "")"};
}

ParsedField opens_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto span = parse_port_span(text);
            if (!span) return span.error().text;
            settings_of(c).knocks.back().opens = *span;
            return {};
          },
          [](Config&) { return std::string(); }, R"(a port or a range, as in "22")"};
}

ParsedListField sequence_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto span = parse_port_span(text);
            if (!span) return span.error().text;
            if (span->first != span->last) return fmt::format("'{}' is a range: a knock is at one port", text);
            settings_of(c).knocks.back().sequence.push_back(span->first);
            return {};
          },
          [](Config&) { return std::vector<std::string>(); }, "ports", "[7000, 8000, 9000]"};
}

template <auto At>
ParsedField port_field() {
  return {[](Config& c, std::string_view text) -> std::string {
            const auto span = parse_port_span(text);
            if (!span) return span.error().text;
            if (span->first != span->last) return fmt::format("'{}' is a range: one port is needed", text);
            At(c) = span->first;
            return {};
          },
          [](Config& c) { return std::to_string(At(c)); }, "a port"};
}

std::string url_complaint(std::string_view url) {
  return list_url_complaint(url);
}

std::string named_account_complaint(std::string_view name) {
  return name.empty() ? "is no name" : account_complaint(name);
}

std::vector<Key> policy_keys() {
  return {
      {"firewall.policy",
       choice<Settings::Policy, [](Config& c) -> auto& { return settings_of(c).policy; }, 1>(policies),
       "What is done with packets that no rule opens the way for: silence, or an answer."},
      {"firewall.out_policy",
       choice<Settings::Policy, [](Config& c) -> auto& { return settings_of(c).out_policy; }>(out_policies),
       "The same for what this host itself begins."},
      {"firewall.tcp_in", ports_field<[](Config& c) -> auto& { return settings_of(c).tcp_in; }>(),
       "TCP ports that are open to all."},
      {"firewall.udp_in", ports_field<[](Config& c) -> auto& { return settings_of(c).udp_in; }>(), "The same for UDP."},
      {"firewall.tcp_out", ports_field<[](Config& c) -> auto& { return settings_of(c).tcp_out; }>(),
       "TCP ports of other hosts that this host may use; counts where out_policy is not \"accept\"."},
      {"firewall.udp_out", ports_field<[](Config& c) -> auto& { return settings_of(c).udp_out; }>(),
       "The same for UDP."},
      {"firewall.ipv6", FlagField{[](Config& c) -> bool& { return settings_of(c).ipv6; }},
       "false: IPv6 is refused, but for loopback, neighbour discovery and replies."},
      {"firewall.ping", ping_field(), "How often one source may ping this host."},
      {"firewall.ping_out", FlagField{[](Config& c) -> bool& { return settings_of(c).ping_out; }},
       "Whether this host may ping others; counts where out_policy is not \"accept\"."},
      {"firewall.drop_invalid", FlagField{[](Config& c) -> bool& { return settings_of(c).drop_invalid; }},
       "Drop packets that belong to no connection, and TCP packets with flags that never go together."},
      {"firewall.docker", choice<Settings::Docker, [](Config& c) -> auto& { return settings_of(c).docker; }>(dockers),
       "\"leave\": what is forwarded is none of this policy's business. \"filter\": the ports that Docker publishes "
       "are under it, too."},
      {"firewall.raw_before",
       TextsField{[](Config& c) -> std::vector<std::string>& { return settings_of(c).raw_before; }, path_complaint,
                  "absolute paths", "[\"/etc/palang/before.nft\"]"},
       "Files with rules of nft that are put before those of this policy, into the chain of what comes in."},
      {"firewall.raw_after",
       TextsField{[](Config& c) -> std::vector<std::string>& { return settings_of(c).raw_after; }, path_complaint,
                  "absolute paths", "[\"/etc/palang/after.nft\"]"},
       "The same, behind them."},
      {"firewall.protect", FlagField{[](Config& c) -> bool& { return settings_of(c).protect; }},
       "Whether a policy that shuts out an admin who is logged in over ssh, the port of sshd, or the gateway is "
       "refused."},
      {"firewall.confirm_within",
       DurationField{[](Config& c) -> Duration& { return settings_of(c).confirm_within; }, 1s, longest_wait},
       "How long 'palang firewall apply' waits for 'palang firewall confirm' before it puts the old policy back."},
  };
}

std::vector<Key> flood_keys() {
  return {
      {"firewall.log", choice<Settings::Log, [](Config& c) -> auto& { return settings_of(c).log; }>(logs),
       "\"csf\": refused packets are written to the kernel's log, too, as CSF did."},
      {"firewall.log_rate", log_rate_field(), "At most so many of these lines."},
      {"firewall.nflog_group", CountField{[](Config& c) -> uint32_t& { return settings_of(c).nflog_group; }, 0, 65'535},
       "The NFLOG group by which refused packets come to the daemon. 0: they are not judged."},
      {"firewall.syn_flood", rate_field<[](Config& c) -> auto& { return settings_of(c).syn_flood; }>(),
       "New TCP connections of one source; what exceeds the rate is dropped."},
      {"firewall.syn_flood_global", rate_field<[](Config& c) -> auto& { return settings_of(c).syn_flood_global; }>(),
       "The same of all sources together."},
      {"firewall.syn_proxy", ports_field<[](Config& c) -> auto& { return settings_of(c).syn_proxy; }>(),
       "Open TCP ports at which the kernel answers SYNs by cookies before a service sees the connection (SYNPROXY)."},
      {"firewall.udp_flood", rate_field<[](Config& c) -> auto& { return settings_of(c).udp_flood; }>(),
       "UDP packets that this host sends to one destination; what exceeds the rate is dropped."},
  };
}

std::vector<Key> rule_keys() {
  return {
      {"firewall.rule.action",
       choice<FirewallRule::Action, [](Config& c) -> auto& { return settings_of(c).rules.back().action; }>(
           rule_actions),
       "What the rule does; \"allow\" without it."},
      {"firewall.rule.direction",
       choice<FirewallDirection, [](Config& c) -> auto& { return settings_of(c).rules.back().direction; }>(directions),
       "Who begins: others, or this host; \"in\" without it."},
      {"firewall.rule.protocol",
       choice<FirewallProtocol, [](Config& c) -> auto& { return settings_of(c).rules.back().protocol; }>(protocols),
       "\"any\" without it."},
      {"firewall.rule.ports", ports_field<[](Config& c) -> auto& { return settings_of(c).rules.back().ports; }>(),
       "Ports of the destination; all without it."},
      {"firewall.rule.source_ports",
       ports_field<[](Config& c) -> auto& { return settings_of(c).rules.back().source_ports; }>(),
       "Ports of the source; all without it."},
      {"firewall.rule.peer", peers_field(), "The other side; anyone without it."},
      {"firewall.rule.user",
       TextField{[](Config& c) -> std::string& { return settings_of(c).rules.back().user; }, account_complaint,
                 "a user's name"},
       "Only of what this user sends; only with direction = \"out\"."},
      {"firewall.rule.group",
       TextField{[](Config& c) -> std::string& { return settings_of(c).rules.back().group; }, account_complaint,
                 "a group's name"},
       "The same for a group."},
      {"firewall.rule.until", until_field(), "Then the rule is over."},
      {"firewall.rule.note",
       TextField{[](Config& c) -> std::string& { return settings_of(c).rules.back().note; }, note_complaint, "a note"},
       "For whoever reads this."},

      {"firewall.limit.protocol",
       choice<FirewallProtocol, [](Config& c) -> auto& { return settings_of(c).limits.back().protocol; }>(protocols),
       "\"tcp\" or \"udp\"; \"tcp\" without it."},
      {"firewall.limit.ports", ports_field<[](Config& c) -> auto& { return settings_of(c).limits.back().ports; }>(),
       "The ports, each limited by itself."},
      {"firewall.limit.connections",
       CountField{[](Config& c) -> uint32_t& { return settings_of(c).limits.back().connections; }, 0, 65'535},
       "Connections of one source at one time; 0: any number."},
      {"firewall.limit.rate", rate_field<[](Config& c) -> auto& { return settings_of(c).limits.back().rate; }>(),
       "New connections of one source."},
  };
}

std::vector<Key> list_keys() {
  return {
      {"firewall.list.name",
       TextField{[](Config& c) -> std::string& { return settings_of(c).lists.back().name; }, list_name_complaint,
                 "a name"},
       "By which rules call it, as list:NAME. Required."},
      {"firewall.list.file",
       TextField{[](Config& c) -> std::string& { return settings_of(c).lists.back().file; }, path_complaint,
                 "an absolute path"},
       "Where it is; this or url."},
      {"firewall.list.url",
       TextField{[](Config& c) -> std::string& { return settings_of(c).lists.back().url; }, url_complaint,
                 "a URL, https:// or file:///"},
       "Where it is fetched from; this or file."},
      {"firewall.list.action",
       choice<FirewallList::Action, [](Config& c) -> auto& { return settings_of(c).lists.back().action; }>(
           list_actions),
       "\"allow\": may do everything and is never judged. \"deny\": is refused. \"ignore\": is never judged. "
       "\"none\", as without it: only for rules that name it."},
      {"firewall.list.refresh",
       DurationField{[](Config& c) -> Duration& { return settings_of(c).lists.back().refresh; }, 1min, one_day * 365},
       "How often a url is asked anew."},
      {"firewall.list.most",
       CountField{[](Config& c) -> uint32_t& { return settings_of(c).lists.back().most; }, 1, 1'000'000},
       "Entries at most; a longer list is refused."},
  };
}

std::vector<Key> knock_and_redirect_keys() {
  return {
      {"firewall.knock.opens", opens_field(), "What opens. Required."},
      {"firewall.knock.protocol",
       choice<FirewallProtocol, [](Config& c) -> auto& { return settings_of(c).knocks.back().protocol; }>(protocols),
       "Of the knocks and of what they open, \"tcp\" or \"udp\"; \"tcp\" without it."},
      {"firewall.knock.sequence", sequence_field(), "The ports to knock at, in their order. Required."},
      {"firewall.knock.within",
       DurationField{[](Config& c) -> Duration& { return settings_of(c).knocks.back().within; }, 1s, longest_wait},
       "The time from one knock to the next at most."},
      {"firewall.knock.opens_for",
       DurationField{[](Config& c) -> Duration& { return settings_of(c).knocks.back().opens_for; }, 1s, one_day * 365},
       "How long it stays open for new connections."},

      {"firewall.redirect.protocol",
       choice<FirewallProtocol, [](Config& c) -> auto& { return settings_of(c).redirects.back().protocol; }>(protocols),
       "\"tcp\" or \"udp\"; \"tcp\" without it."},
      {"firewall.redirect.address",
       address_field<[](Config& c) -> auto& { return settings_of(c).redirects.back().address; }>(),
       "Which of this host's addresses; all without it."},
      {"firewall.redirect.port", port_field<[](Config& c) -> auto& { return settings_of(c).redirects.back().port; }>(),
       "The port that strangers call. Required."},
      {"firewall.redirect.to_address",
       address_field<[](Config& c) -> auto& { return settings_of(c).redirects.back().to_address; }>(),
       "Where it leads; this host without it."},
      {"firewall.redirect.to_port",
       port_field<[](Config& c) -> auto& { return settings_of(c).redirects.back().to_port; }>(),
       "The port there. Required."},

      {"firewall.smtp.ports", ports_field<[](Config& c) -> auto& { return settings_of(c).smtp.ports; }>(),
       "The ports of mail servers; without any, everybody may send."},
      {"firewall.smtp.users",
       TextsField{[](Config& c) -> std::vector<std::string>& { return settings_of(c).smtp.users; },
                  named_account_complaint, "names of users", "[\"postfix\"]"},
       "Who may, besides root."},
      {"firewall.smtp.groups",
       TextsField{[](Config& c) -> std::vector<std::string>& { return settings_of(c).smtp.groups; },
                  named_account_complaint, "names of groups", "[\"mail\"]"},
       "Whose members may."},
  };
}

}  // namespace

std::vector<Key> firewall_keys() {
  std::vector<Key> keys;
  for (const auto& part : {policy_keys(), flood_keys(), rule_keys(), list_keys(), knock_and_redirect_keys()})
    keys.insert(keys.end(), part.begin(), part.end());
  return keys;
}

}  // namespace palang
