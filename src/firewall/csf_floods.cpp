#include "firewall/csf_floods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign::csf {

namespace {

constexpr uint32_t most_of_a_rate = 1'000'000;

std::string with_burst(std::string rate, std::string_view option, const Context& context) {
  const uint32_t burst = context.conf.number(option, 0, context.import.report);
  if (rate.empty() || burst == 0) return rate;
  return fmt::format("{} burst {}", rate, std::min(burst, most_of_a_rate));
}

std::optional<PortRange> limited_port(std::string_view text) {
  const auto range = read_port_range(trim(text), ':');
  if (!range || range->first == 0) return std::nullopt;
  return range;
}

void import_connection_limits(const Context& context) {
  const auto& setting = context.conf.at("CONNLIMIT");
  if (trim(setting.value).empty()) return;
  for (const std::string_view piece : split(setting.value, ',')) {
    const auto fields = split(trim(piece), ';');
    const auto port = fields.size() == 2 ? limited_port(fields[0]) : std::nullopt;
    const auto most = fields.size() == 2 ? read_number(trim(fields[1])) : std::nullopt;
    if (!port || !most || *most == 0 || *most > 65'535) {
      context.import.report.fault(setting.place, "CONNLIMIT",
                                  fmt::format("\"{}\" is not of the form PORT;LIMIT", trim(piece)));
      continue;
    }
    context.import.policy.limits.push_back({"tcp", {port_text(*port)}, *most, ""});
    context.import.report.taken_over(setting.place, fmt::format("CONNLIMIT {}", trim(piece)), "[[firewall.limit]]");
  }
}

void import_port_floods(const Context& context) {
  const auto& setting = context.conf.at("PORTFLOOD");
  if (trim(setting.value).empty()) return;
  for (const std::string_view piece : split(setting.value, ',')) {
    const auto fields = split(trim(piece), ';');
    const bool whole = fields.size() == 4 && (trim(fields[1]) == "tcp" || trim(fields[1]) == "udp");
    const auto port = whole ? limited_port(fields[0]) : std::nullopt;
    const auto count = whole ? read_number(trim(fields[2])) : std::nullopt;
    const auto seconds = whole ? read_number(trim(fields[3])) : std::nullopt;
    if (!port || !count || !seconds || *count == 0 || *count > most_of_a_rate || *seconds == 0 || *seconds > 604'800) {
      context.import.report.fault(setting.place, "PORTFLOOD",
                                  fmt::format("\"{}\" is not of the form PORT;PROTOCOL;COUNT;SECONDS", trim(piece)));
      continue;
    }
    context.import.policy.limits.push_back(
        {std::string(trim(fields[1])), {port_text(*port)}, 0, fmt::format("{}/{}s", *count, *seconds)});
    context.import.report.taken_over(setting.place, fmt::format("PORTFLOOD {}", trim(piece)), "[[firewall.limit]]");
  }
}

std::optional<ImportedKnock> read_knock(std::string_view text) {
  const auto fields = split(text, ';');
  if (fields.size() < 6 || fields.size() > 12) return std::nullopt;
  const std::string_view protocol = trim(fields[1]);
  const bool tcp = protocol == "TCP" || protocol == "tcp";
  if (!tcp && protocol != "UDP" && protocol != "udp") return std::nullopt;
  const auto opens = limited_port(fields[0]);
  const auto timeout = read_number(trim(fields[2]));
  if (!opens || !timeout || *timeout == 0 || *timeout > 3'600) return std::nullopt;
  ImportedKnock knock;
  knock.opens = port_text(*opens);
  knock.protocol = tcp ? "tcp" : "udp";
  knock.within = fmt::format("{}s", *timeout);
  for (size_t i = 3; i < fields.size(); ++i) {
    const auto port = limited_port(fields[i]);
    if (!port || port->first != port->last) return std::nullopt;
    const bool again = !knock.sequence.empty() && knock.sequence.back() == port->first;
    if (again || (port->first >= opens->first && port->first <= opens->last)) return std::nullopt;
    knock.sequence.push_back(port->first);
  }
  return knock;
}

void import_knocks(const Context& context) {
  const auto& setting = context.conf.at("PORTKNOCKING");
  if (trim(setting.value).empty()) return;
  for (const std::string_view piece : split(setting.value, ',')) {
    if (auto knock = read_knock(trim(piece))) {
      context.import.report.approximated(
          setting.place, fmt::format("PORTKNOCKING {}", trim(piece)),
          "[[firewall.knock]]; the port stays open to who knocked for an hour, not only for the timeout");
      context.import.policy.knocks.push_back(std::move(*knock));
    } else {
      context.import.report.fault(
          setting.place, "PORTKNOCKING",
          fmt::format(
              "\"{}\" is not of the form PORT;PROTOCOL;SECONDS;PORT;PORT;PORT, with other ports than that which opens",
              trim(piece)));
    }
  }
}

}  // namespace

std::string read_rate(std::string_view option, const Context& context) {
  const auto& setting = context.conf.at(option);
  const std::string_view text = trim(setting.value);
  if (text.empty() || text == "0") return "";
  static constexpr std::array<std::string_view, 4> units{"second", "minute", "hour", "day"};
  const size_t slash = text.find('/');
  const auto count = read_number(text.substr(0, slash));
  if (slash != std::string_view::npos && slash + 1 < text.size() && count && *count > 0 && *count <= most_of_a_rate)
    for (const std::string_view unit : units)
      if (unit.starts_with(text.substr(slash + 1)) || text.substr(slash + 1) == std::string(unit) + "s")
        return fmt::format("{}/{}", *count, unit);
  context.import.report.fault(setting.place, std::string(option), fmt::format("\"{}\" is no rate; none is set", text));
  return "";
}

std::vector<std::string> account_names(std::string_view option, const Context& context) {
  const auto& setting = context.conf.at(option);
  std::vector<std::string> names;
  for (std::string_view name : split(setting.value, ',')) {
    name = trim(name);
    if (name.empty()) continue;
    const bool good = name.size() <= 32 && name.front() != '-' && std::ranges::all_of(name, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                               c == '-' || c == '.';
                      });
    if (good)
      names.emplace_back(name);
    else
      context.import.report.fault(setting.place, std::string(option),
                                  fmt::format("\"{}\" is no name of an account", name));
  }
  return names;
}

void import_floods(const Context& context) {
  const Conf& conf = context.conf;
  ImportedPolicy& policy = context.import.policy;
  ImportReport& report = context.import.report;
  if (conf.is_on("SYNFLOOD")) {
    policy.syn_flood_global = with_burst(read_rate("SYNFLOOD_RATE", context), "SYNFLOOD_BURST", context);
    report.taken_over(conf.at("SYNFLOOD").place, "SYNFLOOD",
                      "firewall.syn_flood_global, of all senders together, as in CSF; firewall.syn_flood limits each");
  }
  if (conf.is_on("UDPFLOOD")) {
    policy.udp_flood = with_burst(read_rate("UDPFLOOD_LIMIT", context), "UDPFLOOD_BURST", context);
    report.approximated(conf.at("UDPFLOOD").place, "UDPFLOOD",
                        "firewall.udp_flood counts what is sent by destination, and UDPFLOOD_ALLOWUSER's users, too");
  }
  import_connection_limits(context);
  import_port_floods(context);
  import_knocks(context);
}

}  // namespace palang::foreign::csf
