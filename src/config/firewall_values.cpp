#include "config/firewall_values.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/text.hpp"

namespace palang {
namespace {

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_word(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

Result<uint16_t> parse_port(std::string_view text) {
  const auto number = whole_number(text);
  if (number && *number >= 1 && *number <= 65535) return static_cast<uint16_t>(*number);
  return fail(fmt::format("'{:.64}' is not a port: a port is a number from 1 to 65535", text));
}

std::optional<uint16_t> port_of_service(std::string_view name) {
  if (name.empty() || name.size() > 32 || !is_word(name, "-_.+")) return std::nullopt;
  servent entry{};
  servent* found = nullptr;
  std::array<char, 4096> buffer{};
  const std::string text(name);
  if (::getservbyname_r(text.c_str(), nullptr, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  const auto order = static_cast<uint32_t>(found->s_port);
  return static_cast<uint16_t>((order & 0xff) << 8 | (order >> 8 & 0xff));
}

struct NamedSpan {
  std::string_view name;
  Duration length;
};
constexpr std::array<NamedSpan, 8> named_spans{{{"second", 1s},
                                                {"sec", 1s},
                                                {"minute", 1min},
                                                {"min", 1min},
                                                {"hour", 1h},
                                                {"day", one_day},
                                                {"week", one_day * 7},
                                                {"s", 1s}}};
constexpr uint32_t most_packets = 1'000'000;

// As a resolver takes it: labels of letters, digits and hyphens; and not one that looks like an address gone wrong.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || !is_word(name, "-._") || name.front() == '.' || name.front() == '-')
    return false;
  if (name.find("..") != std::string_view::npos || name.find('.') == std::string_view::npos) return false;
  const std::string_view last = name.substr(name.find_last_of('.', name.size() - 2) + 1);
  return !is_word(last, "") || std::ranges::any_of(last, [](char c) { return c < '0' || c > '9'; });
}

}  // namespace

Result<PortSpan> parse_port_span(std::string_view text) {
  if (text.empty()) return fail("'' is not a port");
  const bool digits = text[0] >= '0' && text[0] <= '9';
  if (digits) {
    const size_t dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash));
    if (!first) return Failure(first.error());
    if (dash == std::string_view::npos) return PortSpan{*first, *first};
    const auto last = parse_port(text.substr(dash + 1));
    if (!last) return Failure(last.error());
    if (*first > *last) return fail(fmt::format("'{}' is no range of ports: it ends before it begins", text));
    return PortSpan{*first, *last};
  }
  if (const auto port = port_of_service(text)) return PortSpan{*port, *port};
  return fail(
      fmt::format("'{:.64}' is neither a port, nor a range as in 2000-2100, nor a service of /etc/services", text));
}

std::string print_port_span(const PortSpan& span) {
  return span.first == span.last ? fmt::format("{}", span.first) : fmt::format("{}-{}", span.first, span.last);
}

Result<Rate> parse_rate(std::string_view text) {
  const Failure bad = fail(
      fmt::format("'{:.64}' is not a rate: write as in \"30/minute\", \"5/300s\" or \"100/second burst 150\"", text));
  std::string_view rest = text;
  Rate rate;
  if (const size_t burst = rest.find(" burst "); burst != std::string_view::npos) {
    const auto count = whole_number(trim(rest.substr(burst + 7)));
    if (!count || *count < 1 || *count > most_packets) return bad;
    rate.burst = static_cast<uint32_t>(*count);
    rest = rest.substr(0, burst);
  }
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return bad;
  const auto count = whole_number(rest.substr(0, slash));
  if (!count || *count < 1 || *count > most_packets) return bad;
  rate.count = static_cast<uint32_t>(*count);
  const std::string_view per = rest.substr(slash + 1);
  const auto named = std::ranges::find(named_spans, per, &NamedSpan::name);
  if (named != named_spans.end()) {
    rate.per = named->length;
    return rate;
  }
  const auto length = parse_duration(per);
  if (!length || *length < Duration{1s} || *length > one_day * 7 || *length % Duration{1s} != Duration{0}) return bad;
  rate.per = *length;
  return rate;
}

std::string print_rate(const Rate& rate) {
  const auto named = std::ranges::find(named_spans, rate.per, &NamedSpan::length);
  const std::string per = named == named_spans.end() ? format_duration(rate.per) : std::string(named->name);
  return fmt::format("{}/{}{}", rate.count, per, rate.burst > 0 ? fmt::format(" burst {}", rate.burst) : "");
}

Result<FirewallPeer> parse_firewall_peer(std::string_view text) {
  FirewallPeer peer;
  if (text.starts_with("list:")) {
    peer.kind = FirewallPeer::Kind::list;
    peer.name = text.substr(5);
    if (const std::string why = list_name_complaint(peer.name); !why.empty())
      return fail(fmt::format("'{:.64}' {}", peer.name, why));
    return peer;
  }
  const bool numeric = text.find_first_of(":/") != std::string_view::npos || !is_host_name(text);
  if (!numeric) {
    peer.kind = FirewallPeer::Kind::host;
    peer.name = text;
    return peer;
  }
  const auto prefix = Prefix::parse(text);
  if (!prefix) return Failure(prefix.error());
  peer.prefix = *prefix;
  return peer;
}

std::string print_firewall_peer(const FirewallPeer& peer) {
  switch (peer.kind) {
    case FirewallPeer::Kind::prefix: return peer.prefix.text();
    case FirewallPeer::Kind::list: return "list:" + peer.name;
    case FirewallPeer::Kind::host: return peer.name;
  }
  return {};
}

Result<WallTime> parse_end_time(std::string_view text) {
  const Failure bad = fail(fmt::format("'{:.64}' is not a time: write as in \"2026-12-31T23:59:59Z\"", text));
  const std::string copy(text);
  int year = 0, hour = 0, minute = 0, second = 0, used = 0;
  unsigned month = 0, day = 0;
  if (copy.size() < 20 || copy.size() > 25 ||
      std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6)
    return bad;
  if (used != 19 || year < 1970 || year > 9000 || hour > 23 || minute > 59 || second > 60) return bad;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!date.ok()) return bad;
  const std::string_view zone = std::string_view(copy).substr(19);
  Duration offset{0};
  if (zone != "Z") {
    int hours = 0, minutes = 0;
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') ||
        std::sscanf(copy.c_str() + 20, "%2d:%2d", &hours, &minutes) != 2 || hours > 23 || minutes > 59)
      return bad;
    offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
    if (zone[0] == '-') offset = -offset;
  }
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} - offset;
}

std::string list_name_complaint(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= 32 && is_word(name, "-_") && is_word(name.substr(0, 1), "");
  return fits ? "" : "is not a name that a list can have: letters, digits, - and _, 32 at most";
}

std::string account_complaint(std::string_view name) {
  if (name.empty()) return {};
  const bool fits = name.size() <= 32 && is_word(name, "-_.") && name[0] != '-';
  return fits ? "" : "is not a name that a user or a group can have";
}

std::string note_complaint(std::string_view text) {
  return text.size() <= 200 ? "" : "is too long for a note: 200 bytes at most";
}

std::string list_url_complaint(std::string_view url) {
  if (url.empty()) return {};
  if (!url.starts_with("https://") && !url.starts_with("file:///")) return "must begin with https:// or file:///";
  const bool fits = url.size() <= 2000 && std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  return fits ? "" : "is not a URL: it has blanks or other strange characters, or more than 2000";
}

}  // namespace palang
