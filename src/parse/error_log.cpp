#include "parse/error_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/address_text.hpp"
#include "parse/time_parts.hpp"

namespace palang {
namespace {

bool skip_text(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}

bool skip_digits(std::string_view& rest) {
  size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  rest.remove_prefix(digits);
  return digits > 0;
}

// "[word] " at the beginning, with its content.
std::optional<std::string_view> take_bracketed(std::string_view& rest) {
  if (!rest.starts_with('[')) return {};
  const size_t end = rest.find("] ");
  if (end == std::string_view::npos) return {};
  const std::string_view content = rest.substr(1, end - 1);
  rest.remove_prefix(end + 2);
  return content;
}

std::optional<LogLine> read_nginx(std::string_view line, LogTimeReader& times) {
  const auto stamp = times.slashed(line);
  if (!stamp) return {};
  std::string_view rest = line.substr(stamp->length);
  if (!skip_text(rest, " ") || !take_bracketed(rest)) return {};
  if (!skip_digits(rest) || !skip_text(rest, "#") || !skip_digits(rest) || !skip_text(rest, ": ")) return {};
  std::string_view behind = rest;
  if (skip_text(behind, "*") && skip_digits(behind) && skip_text(behind, " ")) rest = behind;
  return LogLine{stamp->at, "nginx", rest, false};
}

// "(2)No such file or directory: " before "[client".
void skip_os_error(std::string_view& rest) {
  std::string_view behind = rest;
  if (!skip_text(behind, "(") || !skip_digits(behind) || !skip_text(behind, ")")) return;
  constexpr size_t longest = 200;
  const size_t client = behind.substr(0, longest).find(": [client ");
  if (client != std::string_view::npos) rest = behind.substr(client + 2);
}

std::optional<LogLine> read_apache(std::string_view line, LogTimeReader& times) {
  if (!line.starts_with('[')) return {};
  const auto stamp = times.asctime(line.substr(1));
  if (!stamp) return {};
  std::string_view rest = line.substr(1 + stamp->length);
  if (!skip_text(rest, "] ")) return {};
  return read_apache_by_syslog(rest, stamp->at);
}

// "192.0.2.1", "192.0.2.1:50000", "[2001:db8::1]:50000", "2001:db8::1"
std::optional<Address> read_client(std::string_view text) {
  if (auto address = read_address(text)) return address;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return read_address(host);
}

// The value of the last [key "value"] in a message; values end at `"]`.
std::string_view tag_value(std::string_view message, std::string_view opening) {
  const size_t at = message.rfind(opening);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = message.substr(at + opening.size());
  const size_t end = rest.find("\"]");
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

}  // namespace

void note_waf_rule(std::string_view id, WafHit& hit) {
  uint32_t number = 0;
  const auto [end, status] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (status != std::errc{} || end != id.data() + id.size() || hit.rules >= WafHit::most_rules) return;
  const auto known = hit.rule_ids.begin() + hit.rules;
  if (std::find(hit.rule_ids.begin(), known, number) == known) hit.rule_ids[hit.rules++] = number;
}

void note_waf_severity(std::string_view severity, WafHit& hit) {
  static constexpr std::array<std::string_view, 8> names{"EMERGENCY", "ALERT",  "CRITICAL", "ERROR",
                                                         "WARNING",   "NOTICE", "INFO",     "DEBUG"};
  const auto named = std::ranges::find(names, severity);
  uint8_t number = WafHit::no_severity;
  if (named != names.end())
    number = static_cast<uint8_t>(named - names.begin());
  else if (severity.size() == 1 && severity[0] >= '0' && severity[0] <= '7')
    number = static_cast<uint8_t>(severity[0] - '0');
  hit.severity = std::min(hit.severity, number);
}

void note_waf_tags(std::string_view message, WafHit& hit) {
  constexpr std::string_view id = "[id \"";
  constexpr std::string_view severity = "[severity \"";
  for (size_t at = message.find('['); at != std::string_view::npos; at = message.find('[', at + 1)) {
    std::string_view rest = message.substr(at);
    const bool is_id = rest.starts_with(id);
    if (!is_id && !rest.starts_with(severity)) continue;
    rest.remove_prefix(is_id ? id.size() : severity.size());
    const size_t end = rest.substr(0, 20).find('"');
    if (end == std::string_view::npos) continue;
    if (is_id)
      note_waf_rule(rest.substr(0, end), hit);
    else
      note_waf_severity(rest.substr(0, end), hit);
  }
}

std::optional<LogLine> read_error_line(std::string_view line, LogTimeReader& times) {
  if (auto nginx = read_nginx(line, times)) return nginx;
  return read_apache(line, times);
}

std::optional<LogLine> read_apache_by_syslog(std::string_view message, WallTime at) {
  std::string_view rest = message;
  if (!take_bracketed(rest)) return {};
  if (rest.starts_with("[pid ")) take_bracketed(rest);
  skip_os_error(rest);
  return LogLine{at, "apache", rest, false};
}

std::optional<WafHit> read_waf_message(const LogLine& line) {
  std::string_view rest = line.message;
  std::optional<Address> client;
  // Newer versions of Apache and of the module write the client each.
  while (rest.starts_with("[client ")) {
    const auto content = take_bracketed(rest);
    if (!content) return {};
    if (!client) client = read_client(content->substr(7));
  }
  if (!client || !skip_text(rest, "ModSecurity: ")) return {};
  WafHit hit;
  hit.request.client = *client;
  hit.request.at = line.at;
  hit.blocked = rest.starts_with("Access denied");
  note_waf_tags(rest, hit);
  if (hit.rules == 0) return {};
  hit.request.target = tag_value(rest, "[uri \"");
  hit.request.host = tag_value(rest, "[hostname \"");
  return hit;
}

}  // namespace palang
