#include "firewall/csf_filter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "firewall/csf_conf.hpp"
#include "net/prefix.hpp"

namespace palang::foreign::csf {

namespace {

constexpr size_t most_filter_ports = 64;

bool is_account(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

bool begins_like_ports(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789,_ ") == std::string_view::npos;
}

Result<std::vector<PortRange>> read_filter_ports(std::string_view text) {
  std::vector<PortRange> ports;
  for (const std::string_view piece : split(text, ',')) {
    if (trim(piece).empty()) continue;
    auto range = read_port_range(piece, '_');
    if (!range || range->last == 0) return fail(fmt::format("\"{}\" is no port and no range of ports", piece));
    range->first = std::max(range->first, uint16_t{1});
    if (ports.size() == most_filter_ports) return fail("it has too many ports");
    ports.push_back(*range);
  }
  return merged(std::move(ports));
}

// What stands behind s= or d=.
Result<void> read_side(Filter& filter, bool source, std::string_view value) {
  if (begins_like_ports(value)) {
    auto ports = read_filter_ports(value);
    if (!ports) return Failure(ports.error());
    (source ? filter.source_ports : filter.ports) = std::move(*ports);
    return {};
  }
  bool widened = false;
  const auto network = read_network(value, &widened);
  if (network) {
    (source ? filter.source : filter.destination) = *network;
  } else if (is_host_name(value)) {
    (source ? filter.source : filter.destination) = value;
  } else if (!source && filter.protocol == "icmp" && is_account(value)) {
    filter.icmp_type = value;
  } else {
    return fail(fmt::format("\"{}\" is neither a port nor an address", value));
  }
  return {};
}

Result<void> read_piece(Filter& filter, std::string_view piece) {
  const std::string_view value = piece.size() > 2 ? trim(piece.substr(2)) : std::string_view{};
  if (piece == "tcp" || piece == "udp" || piece == "icmp") {
    filter.protocol = piece;
  } else if (piece == "in" || piece == "out") {
    filter.out = piece == "out";
  } else if (piece.starts_with("s=") || piece.starts_with("d=")) {
    return read_side(filter, piece.front() == 's', value);
  } else if (piece.starts_with("u=") || piece.starts_with("g=")) {
    if (!is_account(value)) return fail(fmt::format("\"{}\" is no user and no group", value));
    (piece.front() == 'u' ? filter.user : filter.group) = value;
  } else {
    return fail(fmt::format("\"{}\" has no meaning in a filter", piece));
  }
  return {};
}

// An IPv6 address has colons, too: the old form knows IPv4 only.
char separator_of(std::string_view text) {
  return text.find('|') == std::string_view::npos ? ':' : '|';
}

}  // namespace

bool is_filter(std::string_view text) {
  if (text.find('|') != std::string_view::npos) return true;
  return text.find('=') != std::string_view::npos && text.find(':') != std::string_view::npos;
}

Result<Filter> parse_filter(std::string_view text) {
  Filter filter;
  bool constrained = false;
  for (std::string_view piece : split(text, separator_of(text))) {
    piece = trim(piece);
    if (piece.empty()) continue;
    if (const auto done = read_piece(filter, piece); !done) return Failure(done.error());
    constrained = constrained || piece.find('=') != std::string_view::npos;
  }
  if (!constrained) return fail("it names neither a port nor an address");
  if (filter.protocol == "icmp" && (!filter.ports.empty() || !filter.source_ports.empty()))
    return fail("icmp has no ports");
  if ((!filter.user.empty() || !filter.group.empty()) && !filter.out)
    return fail("u= and g= are for what goes out only");
  return filter;
}

Result<std::string> read_network(std::string_view text, bool* widened) {
  *widened = false;
  const size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return Failure(address.error());
  if (slash == std::string_view::npos) return address->text();
  const auto length = read_number(text.substr(slash + 1));
  if (!length || *length > (address->is_v4() ? 32U : 128U))
    return fail(fmt::format("\"{}\" is no length of a network", text.substr(slash + 1)));
  const Prefix prefix = Prefix::of_length(*address, *length);
  *widened = prefix.address() != *address;
  return prefix.text();
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.find('.') == std::string_view::npos) return false;
  for (const std::string_view label : split(text, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        }))
      return false;
  }
  // Digits only are an address that is none.
  return text.find_first_not_of("0123456789.") != std::string_view::npos;
}

}  // namespace palang::foreign::csf
