#include "firewall/csf_lfd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/time.hpp"
#include "firewall/csf_firewall.hpp"
#include "firewall/imported_toml.hpp"

namespace palang::foreign::csf {

namespace {

// An application of lfd, and the rules of palang that read the same lines. Rules of more than one application are
// disabled once all of them are off.
struct Application {
  std::string_view option;
  std::string_view rules;
};

constexpr std::array applications{
    Application{"LF_SSHD", "sshd-* dropbear-*"},
    Application{"LF_FTPD", "proftpd-* vsftpd-* pureftpd-*"},
    Application{"LF_SMTPAUTH", "exim-login postfix-sasl postfix-accounts sendmail-login"},
    Application{"LF_EXIMSYNTAX", "exim-protocol"},
    Application{"LF_POP3D", "dovecot-* courier-login"},
    Application{"LF_IMAPD", "dovecot-* courier-login"},
    Application{"LF_HTACCESS", "apache-auth"},
    Application{"LF_MODSEC", "modsec-*"},
    Application{"LF_BIND", "bind-denied"},
    Application{"LF_CPANEL", "cpanel-login"},
    Application{"LF_WEBMIN", "webmin-login"},
    Application{"LF_DIRECTADMIN", "directadmin-login"},
    Application{"LF_APACHE_404", "http-404"},
    Application{"LF_APACHE_403", "http-forbidden apache-forbidden"},
};

std::string ban_of(std::string_view option, const Context& context) {
  const uint32_t seconds = context.conf.number(option, 1, context.import.report);
  if (seconds == 0) return "not at all";
  if (seconds == 1) return "for ever";
  return fmt::format("for {}", format_duration(std::chrono::seconds{seconds}));
}

void import_application(const Application& application, std::vector<std::string>& disabled, const Context& context) {
  const auto& setting = context.conf.at(application.option);
  ImportReport& report = context.import.report;
  if (setting.value.empty()) return;
  if (!context.conf.is_on(application.option)) {
    bool elsewhere = false;
    for (const Application& other : applications)
      elsewhere = elsewhere || (other.rules == application.rules && context.conf.is_on(other.option));
    if (elsewhere) {
      report.approximated(setting.place, fmt::format("{} = \"0\"", application.option),
                          "the same rules read the lines of another application that is on");
      return;
    }
    report.taken_over(setting.place, fmt::format("{} = \"0\"", application.option),
                      fmt::format("rules.disabled: {}", application.rules));
    for (const std::string_view rule : split(application.rules, ' ')) disabled.emplace_back(rule);
    return;
  }
  const uint32_t together = context.conf.number("LF_TRIGGER", 0, report);
  const uint32_t trigger = together > 0 ? together : context.conf.number(application.option, 5, report);
  const uint32_t interval = context.conf.number("LF_INTERVAL", 3'600, report);
  const std::string perm = together > 0 ? "LF_TRIGGER_PERM" : fmt::format("{}_PERM", application.option);
  report.approximated(
      setting.place, fmt::format("{} = \"{}\"", application.option, setting.value),
      fmt::format(
          "lfd banned {} at {} failures within {}{}; the rules {} have their own thresholds (palang rules list), "
          "and bans double",
          ban_of(perm, context), trigger, format_duration(std::chrono::seconds{interval}),
          together > 0 ? " of all applications together (LF_TRIGGER)" : "", application.rules));
}

void import_applications(const Context& context) {
  std::vector<std::string> disabled;
  for (const Application& application : applications) import_application(application, disabled, context);
  std::ranges::sort(disabled);
  disabled.erase(std::ranges::unique(disabled).begin(), disabled.end());
  if (disabled.empty()) return;
  std::string list;
  for (const std::string& rule : disabled) list += (list.empty() ? "" : ", ") + toml_text(rule);
  context.import.policy.sections["rules"].push_back(fmt::format("disabled = [{}]", list));
}

void import_port_scans(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  auto& sections = context.import.policy.sections;
  const auto& setting = conf.at("PS_INTERVAL");
  if (setting.value.empty()) return;
  if (!conf.is_on("PS_INTERVAL")) {
    sections["detect.blocked"] = {"enabled = false"};
    sections["detect.portscan"] = {"enabled = false"};
    report.taken_over(setting.place, "PS_INTERVAL = \"0\"",
                      "refused packets ban nobody: detect.blocked and detect.portscan are off");
    return;
  }
  const uint32_t within = std::clamp(conf.number("PS_INTERVAL", 300, report), 1U, 31'536'000U);
  const uint32_t limit = std::min(conf.number("PS_LIMIT", 10, report), 999U);
  const uint32_t diversity = conf.number("PS_DIVERSITY", 1, report);
  // More than PS_LIMIT packets; with PS_DIVERSITY above one, so many ports of them.
  if (diversity <= 1) {
    sections["detect.blocked"] = {fmt::format("after = {}", limit + 1), fmt::format("within = \"{}s\"", within)};
    report.taken_over(setting.place, "PS_INTERVAL, PS_LIMIT",
                      fmt::format("detect.blocked: {} refused packets within {} s", limit + 1, within));
  } else {
    sections["detect.blocked"] = {"enabled = false"};
    sections["detect.portscan"] = {fmt::format("ports = {}", std::clamp(diversity, 2U, 1'000U)),
                                   fmt::format("within = \"{}s\"", within)};
    report.approximated(
        conf.at("PS_DIVERSITY").place, "PS_DIVERSITY",
        fmt::format("detect.portscan: {} distinct ports within {} s, however many packets (lfd: more than {})",
                    diversity, within, limit));
  }
  const std::string& ports = conf.text("PS_PORTS");
  if (!ports.empty() && !ports.starts_with("0:65535"))
    report.approximated(conf.at("PS_PORTS").place, "PS_PORTS", "refused packets to every port are counted");
  const bool permanent = conf.is_on("PS_PERMANENT");
  report.approximated(
      conf.at(permanent ? "PS_PERMANENT" : "PS_BLOCK_TIME").place, permanent ? "PS_PERMANENT" : "PS_BLOCK_TIME",
      fmt::format(
          "lfd banned {}; palang as [ban] says, and from closed ports only, since anyone can forge such packets",
          permanent ? "for ever" : fmt::format("for {} s", conf.number("PS_BLOCK_TIME", 3'600, report))));
}

void import_widening(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  const auto& setting = conf.at("LF_NETBLOCK");
  if (setting.value.empty()) return;
  auto& keys = context.import.policy.sections["ban.widen"];
  if (!conf.is_on("LF_NETBLOCK")) {
    keys = {"after = 0"};
    report.taken_over(setting.place, "LF_NETBLOCK = \"0\"",
                      "ban.widen.after = 0: networks are never banned for their addresses");
    return;
  }
  const uint32_t count = std::min(conf.number("LF_NETBLOCK_COUNT", 4, report), 65'535U);
  const uint32_t within = std::clamp(conf.number("LF_NETBLOCK_INTERVAL", 86'400, report), 1U, 315'360'000U);
  const std::string& letter = conf.text("LF_NETBLOCK_CLASS");
  const unsigned v4 = letter == "A" ? 8 : letter == "B" ? 16 : 24;
  if (!letter.empty() && letter != "A" && letter != "B" && letter != "C")
    report.fault(conf.at("LF_NETBLOCK_CLASS").place, "LF_NETBLOCK_CLASS", "it is none of A, B and C; C is taken");
  const std::string& v6_text = conf.text("LF_NETBLOCK_IPV6");
  const auto v6 = read_number(std::string_view(v6_text).substr(v6_text.starts_with('/') ? 1 : 0));
  keys = {fmt::format("after = {}", count + 1), fmt::format("within = \"{}s\"", within),
          fmt::format("to = [{}, {}]", v4, v6 && *v6 >= 16 && *v6 <= 127 ? *v6 : 64)};
  report.taken_over(setting.place, "LF_NETBLOCK",
                    fmt::format("[ban.widen]: more than {} addresses of a /{} within {} s", count, v4, within));
  if (v6_text.empty())
    report.approximated(conf.at("LF_NETBLOCK_IPV6").place, "LF_NETBLOCK_IPV6 = \"\"",
                        "IPv6 networks are banned, too: their /64");
}

void import_connections(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  const auto& setting = conf.at("CT_LIMIT");
  if (!conf.is_on("CT_LIMIT")) return;
  const uint32_t limit = std::min(conf.number("CT_LIMIT", 300, report), 1'000'000U);
  const uint32_t interval = std::clamp(conf.number("CT_INTERVAL", 30, report), 1U, 3'600U);
  const bool permanent = conf.is_on("CT_PERMANENT");
  const uint32_t seconds = permanent ? 28 * 86'400 : std::max(conf.number("CT_BLOCK_TIME", 1'800, report), 1U);
  auto& keys = context.import.policy.sections["detect.connections"];
  keys = {fmt::format("limit = {}", limit), fmt::format("interval = \"{}s\"", interval),
          fmt::format("for = \"{}s\"", std::min(seconds, 315'360'000U))};
  if (conf.is_on("CT_SKIP_TIME_WAIT")) keys.emplace_back("skip_time_wait = true");
  if (const auto ports = read_port_setting("CT_PORTS", conf, report); !ports.empty()) {
    std::string list;
    for (const PortRange& range : ports)
      for (uint32_t port = range.first; port <= range.last && list.size() < 4'000; ++port)
        list += fmt::format("{}{}", list.empty() ? "" : ", ", port);
    keys.push_back(fmt::format("ports = [{}]", list));
  }
  report.taken_over(setting.place, fmt::format("CT_LIMIT = \"{}\"", setting.value),
                    fmt::format("[detect.connections]: more than {} connections of one address, counted every {} s",
                                limit, interval));
  if (permanent)
    report.approximated(conf.at("CT_PERMANENT").place, "CT_PERMANENT",
                        "28 days at first, the longest ban that there is by default");
  if (conf.is_on("CT_STATES")) report.left_out(conf.at("CT_STATES").place, "CT_STATES", "all states are counted");
  if (conf.is_on("CT_SUBNET_LIMIT"))
    report.left_out(conf.at("CT_SUBNET_LIMIT").place, "CT_SUBNET_LIMIT",
                    "connections are counted by address, not by network");
}

void import_bans(const Context& context) {
  const Conf& conf = context.conf;
  ImportReport& report = context.import.report;
  if (conf.is_on("LF_PERMBLOCK"))
    report.approximated(
        conf.at("LF_PERMBLOCK").place, "LF_PERMBLOCK",
        "each further ban of the same address lasts twice as long, up to ban.at_most, and a ban ends only after "
        "quiet; none is without an end");
  for (const std::string_view name : {"DENY_IP_LIMIT", "DENY_TEMP_IP_LIMIT"})
    if (conf.is_on(name))
      report.left_out(conf.at(name).place, fmt::format("{} = \"{}\"", name, conf.text(name)),
                      "long lists cost nothing: a packet takes one look-up, and ban.budget is a million");
  if (conf.is_on("LF_SELECT"))
    report.left_out(conf.at("LF_SELECT").place, "LF_SELECT", "a ban closes every port, not those of one service");
  if (conf.is_on("LF_DISTATTACK"))
    report.approximated(conf.at("LF_DISTATTACK").place, "LF_DISTATTACK",
                        "the rules of sshd, mail and FTP count sources by account themselves (palang rules show)");
}

}  // namespace

void import_lfd(const Context& context) {
  if (context.conf.text("LF_DAEMON") == "0") {
    context.import.policy.sections["rules"] = {"shipped = false"};
    context.import.policy.sections["detect.blocked"] = {"enabled = false"};
    context.import.policy.sections["detect.portscan"] = {"enabled = false"};
    context.import.report.taken_over(context.conf.at("LF_DAEMON").place, "LF_DAEMON = \"0\"",
                                     "nobody is banned: no rules, no detectors of refused packets");
    return;
  }
  import_applications(context);
  import_port_scans(context);
  import_widening(context);
  import_connections(context);
  import_bans(context);
}

}  // namespace palang::foreign::csf
