#include "firewall/csf_firewall.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "firewall/csf_countries.hpp"
#include "firewall/csf_floods.hpp"
#include "firewall/csf_tables.hpp"

namespace palang::foreign::csf {

namespace {

struct PortOption {
  std::string_view v4;
  std::string_view v6;
  std::string_view protocol;
  bool out;
  std::vector<std::string> ImportedPolicy::* target;
};

constexpr std::array port_options{
    PortOption{"TCP_IN", "TCP6_IN", "tcp", false, &ImportedPolicy::tcp_in},
    PortOption{"UDP_IN", "UDP6_IN", "udp", false, &ImportedPolicy::udp_in},
    PortOption{"TCP_OUT", "TCP6_OUT", "tcp", true, &ImportedPolicy::tcp_out},
    PortOption{"UDP_OUT", "UDP6_OUT", "udp", true, &ImportedPolicy::udp_out},
};

void open_for_family(const PortOption& option, const std::vector<PortRange>& ports, bool v6, ImportedPolicy& policy) {
  if (ports.empty()) return;
  ImportedRule rule;
  rule.out = option.out;
  rule.protocol = option.protocol;
  rule.ports = port_texts(ports);
  rule.peer = {v6 ? "::/0" : "0.0.0.0/0"};
  rule.note = v6 ? option.v6 : option.v4;
  policy.rules.push_back(std::move(rule));
}

void import_ports(const PortOption& option, bool ipv6, const Context& context) {
  ImportReport& report = context.import.report;
  const std::vector<PortRange> v4 = read_port_setting(option.v4, context.conf, report);
  const std::vector<PortRange> v6 = ipv6 ? read_port_setting(option.v6, context.conf, report) : v4;
  const std::vector<PortRange> both = common(v4, v6);
  context.import.policy.*option.target = port_texts(both);
  open_for_family(option, without(v4, both), false, context.import.policy);
  open_for_family(option, without(v6, both), true, context.import.policy);
  const auto& setting = context.conf.at(option.v4);
  report.taken_over(setting.place, std::string(option.v4),
                    fmt::format("{} {} open{}", option.protocol, option.out ? "ports of others" : "ports",
                                v4.empty() ? ": none" : fmt::format(": {}", fmt::join(port_texts(v4), " "))));
  if (ipv6)
    report.taken_over(context.conf.at(option.v6).place, std::string(option.v6),
                      v6 == v4 ? "the same as for IPv4"
                               : fmt::format("for IPv6: {}",
                                             v6.empty() ? "none" : fmt::format("{}", fmt::join(port_texts(v6), " "))));
}

void import_policies(const Context& context) {
  ImportedPolicy& policy = context.import.policy;
  ImportReport& report = context.import.report;
  const auto word = [&](std::string_view name, std::string_view otherwise) -> std::string {
    const auto& setting = context.conf.at(name);
    if (setting.value == "DROP") return "drop";
    if (setting.value == "REJECT") return "reject";
    if (!setting.value.empty())
      report.fault(setting.place, std::string(name),
                   "it is neither DROP nor REJECT; " + std::string(otherwise) + " is taken");
    return std::string(otherwise);
  };
  policy.policy = word("DROP", "drop");
  policy.out_policy = word("DROP_OUT", "reject");
  report.taken_over(context.conf.at("DROP").place, "DROP", "firewall.policy = \"" + policy.policy + "\"");
  if (context.conf.text("LF_SPI") == "0") {
    policy.out_policy = "accept";
    report.approximated(
        context.conf.at("LF_SPI").place, "LF_SPI = \"0\"",
        "CSF filtered without connection tracking and let everything out: palang tracks connections, and "
        "lets everything out");
  } else {
    report.taken_over(context.conf.at("DROP_OUT").place, "DROP_OUT",
                      "firewall.out_policy = \"" + policy.out_policy + "\"");
  }
  policy.drop_invalid = context.conf.is_on("PACKET_FILTER");
  report.taken_over(context.conf.at("PACKET_FILTER").place, "PACKET_FILTER",
                    policy.drop_invalid ? "invalid packets are dropped" : "firewall.drop_invalid = false");
  policy.log = context.conf.is_on("DROP_LOGGING");
  if (policy.log)
    report.approximated(
        context.conf.at("DROP_LOGGING").place, "DROP_LOGGING",
        "firewall.log = \"csf\" writes CSF's lines at firewall.log_rate; DROP_NOLOG's ports are logged, too");
}

void import_interfaces(const Context& context) {
  for (const std::string_view name : {"ETH_DEVICE", "ETH6_DEVICE", "ETH_DEVICE_SKIP"}) {
    if (!context.conf.is_on(name)) continue;
    context.import.report.left_out(context.conf.at(name).place,
                                   fmt::format("{} = \"{}\"", name, context.conf.text(name)),
                                   "the policy holds on every interface but loopback; let in what comes by others with "
                                   "[[firewall.rule]] and their "
                                   "networks as peer");
  }
}

void import_icmp(const Context& context) {
  ImportedPolicy& policy = context.import.policy;
  ImportReport& report = context.import.report;
  const bool in = context.conf.text("ICMP_IN") != "0";
  const std::string& rate = context.conf.text("ICMP_IN_RATE");
  policy.ping = in ? read_rate("ICMP_IN_RATE", context) : "off";
  policy.ping_out = context.conf.text("ICMP_OUT") != "0";
  report.taken_over(context.conf.at("ICMP_IN").place, "ICMP_IN",
                    in ? (policy.ping.empty() ? "firewall.ping = \"\"" : "firewall.ping = \"" + policy.ping + "\"")
                       : "firewall.ping = \"off\"");
  if (in && !rate.empty() && rate != "0")
    report.approximated(context.conf.at("ICMP_IN_RATE").place, "ICMP_IN_RATE",
                        "CSF counted all senders together, palang each");
  if (context.conf.is_on("ICMP_OUT_RATE"))
    report.left_out(context.conf.at("ICMP_OUT_RATE").place, "ICMP_OUT_RATE",
                    "what this host itself pings has no limit");
  if (context.conf.is_on("IPV6_ICMP_STRICT"))
    report.taken_over(context.conf.at("IPV6_ICMP_STRICT").place, "IPV6_ICMP_STRICT",
                      "of ICMPv6 only echo requests, at that rate, and the types that IPv6 must have are let in");
}

void import_mail(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  if (!conf.is_on("SMTP_BLOCK")) return;
  ImportedSmtp smtp;
  smtp.ports = port_texts(read_port_setting("SMTP_PORTS", conf, report));
  smtp.users = account_names("SMTP_ALLOWUSER", context);
  smtp.groups = account_names("SMTP_ALLOWGROUP", context);
  smtp.users.insert(smtp.users.begin(), "root");
  std::ranges::sort(smtp.users);
  smtp.users.erase(std::ranges::unique(smtp.users).begin(), smtp.users.end());
  report.taken_over(conf.at("SMTP_BLOCK").place, "SMTP_BLOCK",
                    "[firewall.smtp]: only these users and groups, and root, send mail out");
  if (conf.is_on("SMTP_REDIRECT"))
    report.left_out(conf.at("SMTP_REDIRECT").place, "SMTP_REDIRECT",
                    "mail of others is refused, not turned to the local server");
  context.import.policy.smtp = std::move(smtp);
}

void import_global_lists(const Context& context) {
  struct Global {
    std::string_view option;
    std::string_view list;
    std::string_view action;
  };
  static constexpr std::array globals{
      Global{"GLOBAL_ALLOW", "csf_global_allow", "allow"}, Global{"GLOBAL_DENY", "csf_global_deny", "deny"},
      Global{"GLOBAL_IGNORE", "csf_global_ignore", "ignore"}, Global{"GLOBAL_DYNDNS", "csf_global_dyndns", "allow"}};
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  for (const Global& global : globals) {
    if (!conf.is_on(global.option)) continue;
    const auto& setting = conf.at(global.option);
    const std::string_view interval = global.option == "GLOBAL_DYNDNS" ? "GLOBAL_DYNDNS_INTERVAL" : "LF_GLOBAL";
    if (!conf.is_on(interval)) {
      report.left_out(setting.place, std::string(global.option), fmt::format("{} is 0: CSF didn't fetch it", interval));
      continue;
    }
    ImportedList list;
    list.name = global.list;
    list.action = global.action;
    list.url = secure_url(trim(setting.value), setting.place, global.option, report);
    if (list.url.empty()) continue;
    list.refresh = fmt::format("{}s", std::max(conf.number(interval, 3'600, report), uint32_t{600}));
    report.taken_over(setting.place, std::string(global.option), "the list " + list.name);
    context.import.policy.lists.push_back(std::move(list));
  }
}

void mention_the_rest(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  if (conf.is_on("TESTING"))
    report.approximated(conf.at("TESTING").place, "TESTING = \"1\"",
                        "CSF was being tried and took itself off every few minutes; 'palang firewall apply' rolls back "
                        "unless it is confirmed");
  for (const std::string_view name : {"DNS_STRICT", "DNS_STRICT_NS"})
    if (!conf.at(name).value.empty() && !conf.is_on(name))
      report.approximated(
          conf.at(name).place, fmt::format("{} = \"0\"", name),
          "answers of name servers come in since they belong to a question of this host's own; nothing else does");
  if (conf.is_on("DOCKER")) {
    report.approximated(conf.at("DOCKER").place, "DOCKER",
                        "firewall.docker = \"leave\": Docker's own rules decide about published ports");
  }
}

}  // namespace

std::vector<PortRange> read_port_setting(std::string_view name, const Conf& conf, ImportReport& report) {
  const auto& setting = conf.at(name);
  std::vector<PortRange> ports;
  for (const std::string_view piece : split(setting.value, ',')) {
    if (trim(piece).empty()) continue;
    auto range = read_port_range(trim(piece), ':');
    if (!range || range->last == 0) {
      report.fault(setting.place, std::string(name),
                   fmt::format("\"{}\" is no port from 1 to 65535 and no range", trim(piece)));
      continue;
    }
    range->first = std::max(range->first, uint16_t{1});
    ports.push_back(*range);
  }
  return merged(std::move(ports));
}

void import_firewall(const Context& context) {
  const bool ipv6 = context.conf.is_on("IPV6");
  import_policies(context);
  for (const PortOption& option : port_options) import_ports(option, ipv6, context);
  if (!ipv6)
    context.import.report.approximated(
        context.conf.at("IPV6").place, "IPV6 = \"0\"",
        "CSF left IPv6 unfiltered, every port open: now the ports that are open for IPv4 are "
        "open for IPv6, and no others");
  import_interfaces(context);
  import_icmp(context);
  import_floods(context);
  import_mail(context);
  import_global_lists(context);
  import_countries(context);
  mention_the_rest(context);
}

}  // namespace palang::foreign::csf
