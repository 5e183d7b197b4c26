#include "firewall/csf_tables.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"
#include "firewall/port_ranges.hpp"
#include "net/address.hpp"

namespace palang::foreign::csf {

namespace {

constexpr size_t longest_rule_note = 200;        // bytes
constexpr uint32_t latest_time = 4'102'444'800;  // 2100: a field that isn't a time
constexpr uint32_t shortest_refresh = 3'600;     // seconds

std::string list_name_of(std::string_view name) {
  std::string result = "csf_bl_";
  for (const char c : name.substr(0, 24)) result += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool is_list_word(std::string_view name) {
  return !name.empty() && name.size() <= 24 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void import_blocklist(const Line& line, const Context& context) {
  ImportReport& report = context.import.report;
  const auto fields = split(line.text, '|');
  const auto interval = fields.size() == 4 ? read_number(trim(fields[1])) : std::nullopt;
  const auto most = fields.size() == 4 ? read_number(trim(fields[2])) : std::nullopt;
  if (!interval || !most || !is_list_word(trim(fields[0]))) {
    report.fault(line.place, line.text, "this is no line of the form NAME|INTERVAL|MAX|URL");
    return;
  }
  ImportedList list;
  list.name = list_name_of(trim(fields[0]));
  list.action = "deny";
  list.url = secure_url(trim(fields[3]), line.place, trim(fields[0]), report);
  if (list.url.empty()) return;
  list.refresh = fmt::format("{}s", std::clamp(*interval, shortest_refresh, uint32_t{86'400} * 30));
  list.most = std::min(*most, uint32_t{1'000'000});
  report.taken_over(line.place, std::string(trim(fields[0])),
                    fmt::format("the list {}: denied on every port, fetched again after {}", list.name, list.refresh));
  context.import.policy.lists.push_back(std::move(list));
}

// Ports of csf.redirect: "*" is every port.
std::optional<uint16_t> redirect_port(std::string_view text) {
  const auto number = read_number(trim(text));
  if (!number || *number < 1 || *number > 65'535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

void import_redirect(const Line& line, const Context& context) {
  ImportReport& report = context.import.report;
  const auto fields = split(line.text, '|');
  if (fields.size() != 5) {
    report.fault(line.place, line.text, "this is no line of the form ADDRESS|PORT|ADDRESS|PORT|PROTOCOL");
    return;
  }
  const std::string_view from = trim(fields[0]);
  const std::string_view to = trim(fields[2]);
  const std::string_view protocol = trim(fields[4]);
  const auto from_address = Address::parse(from);
  const auto to_address = Address::parse(to);
  if ((from != "*" && !from_address) || (to != "*" && !to_address) || (protocol != "tcp" && protocol != "udp")) {
    report.fault(line.place, line.text, "an address or the protocol in it is none");
    return;
  }
  if (trim(fields[1]) == "*" && trim(fields[3]) == "*") {
    report.left_out(line.place, line.text, "whole addresses can't be redirected, only single ports");
    return;
  }
  const auto port = redirect_port(fields[1]);
  const auto to_port = redirect_port(fields[3]);
  if (!port || !to_port) {
    report.fault(line.place, line.text, "a port in it is none");
    return;
  }
  ImportedRedirect redirect;
  redirect.protocol = protocol;
  if (from_address) redirect.address = from_address->text();
  redirect.port = *port;
  if (to_address) redirect.to_address = to_address->text();
  redirect.to_port = *to_port;
  report.taken_over(line.place, line.text, "a redirect");
  context.import.policy.redirects.push_back(std::move(redirect));
}

struct TemporaryPorts {
  std::string protocol = "any";
  std::vector<std::string> ports;
};

// "22", "*", "", "53;udp"; for the other direction of time, CSF writes one line for each port.
std::optional<TemporaryPorts> temporary_ports(std::string_view text) {
  text = trim(text);
  if (text.empty() || text == "*") return TemporaryPorts{};
  TemporaryPorts result{"tcp", {}};
  const size_t semicolon = std::min(text.find(';'), text.size());
  if (semicolon < text.size()) {
    const std::string_view protocol = trim(text.substr(semicolon + 1));
    if (protocol != "tcp" && protocol != "udp") return std::nullopt;
    result.protocol = protocol;
  }
  for (const std::string_view piece : split(text.substr(0, semicolon), ',')) {
    const auto range = read_port_range(piece, ':');
    if (!range || range->first == 0) return std::nullopt;
    result.ports.push_back(port_text(*range));
  }
  return result;
}

void import_temporary_line(const Line& line, bool allow, WallTime now, const Context& context) {
  ImportReport& report = context.import.report;
  auto fields = split(line.text, '|');
  fields.resize(std::max<size_t>(fields.size(), 5));  // what is missing is empty, and so no number
  const auto begin = read_number(trim(fields[0]));
  const auto length = read_number(trim(fields[4]));
  bool widened = false;
  const auto network = read_network(trim(fields[1]), &widened);
  const auto ports = temporary_ports(fields[2]);
  if (!begin || !length || *begin > latest_time || !network || !ports) {
    report.fault(line.place, line.text, "this is no line of the form TIME|ADDRESS|PORT|DIRECTION|SECONDS|COMMENT");
    return;
  }
  const WallTime until{std::chrono::seconds{int64_t{*begin} + *length}};
  if (until <= now) {
    report.left_out(line.place, line.text, "its time is over");
    return;
  }
  if (*network == "0.0.0.0/0" || *network == "::/0") {
    report.left_out(line.place, line.text,
                    allow ? "it would open every port to everyone" : "it would shut out everyone");
    return;
  }
  ImportedRule rule;
  rule.allow = allow;
  rule.protocol = ports->protocol;
  rule.ports = ports->ports;
  rule.peer = {*network};
  rule.until = format_utc(until);
  const std::string_view note = fields.size() > 5 ? trim(fields[5]) : std::string_view{};
  rule.note = note.substr(0, longest_rule_note);
  const std::string_view direction = trim(fields[3]);
  if (direction != "out") context.import.policy.rules.push_back(rule);
  rule.out = true;
  if (direction != "in") context.import.policy.rules.push_back(rule);
  report.taken_over(line.place, fmt::format("{} {}", allow ? "allow" : "deny", *network), "a rule until " + rule.until);
}

}  // namespace

std::string secure_url(std::string_view url, const Place& place, std::string_view what, ImportReport& report) {
  const bool odd = std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '"' || c == '\\' || c > '~'; });
  if (!odd && url.size() <= 500) {
    if (url.starts_with("https://") || url.starts_with("file:///")) return std::string(url);
    if (url.starts_with("http://")) {
      report.approximated(place, std::string(what),
                          "its URL is http://, which anyone on the way can change: https:// is asked");
      return "https://" + std::string(url.substr(7));
    }
  }
  report.fault(place, std::string(what), "its URL is neither https:// nor file:///");
  return "";
}

void import_blocklists(const std::string& path, const Context& context) {
  for (const Line& line : read_lines(path, context.read, context.import.report)) import_blocklist(line, context);
}

void import_redirects(const std::string& path, const Context& context) {
  for (const Line& line : read_lines(path, context.read, context.import.report)) import_redirect(line, context);
}

void import_temporary(const std::string& path, bool allow, WallTime now, const Context& context) {
  for (const Line& line : read_lines(path, context.read, context.import.report)) {
    Line whole = line;
    if (!line.comment.empty()) whole.text += " # " + line.comment;  // a comment there may have one
    import_temporary_line(whole, allow, now, context);
  }
}

}  // namespace palang::foreign::csf
