#include "parse/netfilter_line.hpp"

#include <bit>

#include "base/byte_finder.hpp"
#include "parse/short_word.hpp"

namespace palang {
namespace {

bool ends_with(const char* begin, const char* end, std::string_view what) {
  return std::string_view(begin, static_cast<size_t>(end - begin)).ends_with(what);
}

// From `at` to the next space, wherever that is; apart, so that value_at() stays short.
[[gnu::noinline]] std::string_view long_value_at(const char* at, const char* end) {
  const char* last = ByteFinder({at, static_cast<size_t>(end - at)}, ' ').next();
  return {at, static_cast<size_t>((last == nullptr ? end : last) - at)};
}

// From `at` to the next space.
[[gnu::always_inline]] inline std::string_view value_at(const char* at, const char* end) {
  if (end - at >= 16)
    if (const uint32_t spaces = matches_of_16(at, ' '); spaces != 0)
      return {at, static_cast<size_t>(std::countr_zero(spaces))};
  return long_value_at(at, end);
}

// A decimal number that fits. The kernel writes a space behind each: a number at the end of the line may be cut off.
template <typename Number>
bool read_number(const char* at, const char* end, Number& number) {
  uint32_t value = 0;
  const char* digit = at;
  for (; digit != end && *digit >= '0' && *digit <= '9' && digit - at < 6; ++digit)
    value = value * 10 + static_cast<uint32_t>(*digit - '0');
  const bool whole = digit != at && digit != end && *digit == ' ';
  if (!whole || value > static_cast<Number>(~Number{0})) return false;
  number = static_cast<Number>(value);
  return true;
}

Protocol protocol_named(std::string_view name) {
  if (name.size() == 3 && name[2] == 'P') {
    if (name[0] == 'T') return Protocol::tcp;
    if (name[0] == 'U') return Protocol::udp;
  }
  if (name == "6") return Protocol::tcp;
  if (name == "17") return Protocol::udp;
  if (name == "ICMP" || name == "1") return Protocol::icmp;
  if (name == "ICMPv6" || name == "58") return Protocol::icmp6;
  return Protocol::other;
}

// The names between "RES=0x00 " and "URGP=": "SYN ", "ACK SYN ", since Linux 6.15 "AE CWR ECE SYN " too.
void read_tcp_flags(NetfilterLine& line, const char* at, const char* end) {
  if (end - at > 8 && load_word(at) == word("SYN ") && load_word(at + 4) == word("URGP")) {  // nearly always
    line.syn = line.has_flags = true;
    return;
  }
  while (at < end) {
    const std::string_view flag = value_at(at, end);
    line.syn |= flag == "SYN";
    line.ack |= flag == "ACK";
    line.rst |= flag == "RST";
    line.has_flags = line.syn || flag.starts_with("URGP=");
    if (flag.size() > 3) return;
    at += flag.size() + 1;
  }
}

// Reads the fields behind "IN=… OUT=…"; they come in the kernel's fixed order, so the first of a name is the outer
// packet's, and a '[' before a name begins the packet that an ICMP error quotes. What stands before a name tells it
// from those that end alike: MACSRC=, MACDST= and MACPROTO= (nft's `log flags ether`), VPROTO=, PTYPE=.
void read_fields(NetfilterLine& line, std::string_view rest) {
  const char* begin = rest.data();
  const char* end = begin + rest.size();
  ByteFinder equals(rest, '=');
  while (const char* at = equals.next()) {
    if (at - begin < 4) continue;
    const char* value = at + 1;
    switch (load_word(at - 3)) {
      case word("SRC="):
        if (at[-4] == '[' || line.source.data() != nullptr) return;
        if (at[-4] == ' ') line.source = value_at(value, end);
        break;
      case word("DST="): (at[-4] == ' ' ? line.destination : line.mac_destination) = value_at(value, end); break;
      case word("MAC="): line.mac_destination = rest.substr(static_cast<size_t>(value - begin), 17); break;
      case word("OTO="):  // PROTO=
        if (!ends_with(begin, at, " PROTO")) break;
        if (line.source.data() == nullptr || line.protocol_text.data() != nullptr) return;  // a damaged line
        line.protocol_text = value_at(value, end);
        line.protocol = protocol_named(line.protocol_text);
        break;
      case word("DPT="):
        if (!line.has_ports) line.has_ports = read_number(value, end, line.destination_port);
        break;
      case word("YPE="):  // TYPE=
        if (ends_with(begin, at, " TYPE")) line.has_icmp_type = read_number(value, end, line.icmp_type);
        break;
      case word("RES="):
        if (end - value > 5) read_tcp_flags(line, value + 5, end);
        return;  // nothing of interest behind the flags
      default: break;
    }
  }
}

}  // namespace

// The prefix is the admin's and may hold anything, even "IN=": only "IN=… OUT=" counts.
std::optional<NetfilterLine> parse_netfilter(std::string_view message) {
  const char* begin = message.data();
  const char* end = begin + message.size();
  ByteFinder equals(message, '=');
  while (const char* at = equals.next()) {
    if (at - begin < 2 || at[-1] != 'N' || at[-2] != 'I') continue;
    const std::string_view in = value_at(at + 1, end);
    const char* next = in.data() + in.size();
    if (end - next < 5 || load_word(next + 1) != word("OUT=")) continue;
    std::optional<NetfilterLine> line(std::in_place);
    line->prefix = message.substr(0, static_cast<size_t>(at - 2 - begin));
    line->in = in;
    line->out = value_at(next + 5, end);
    const char* rest = line->out.data() + line->out.size();
    const std::string_view fields(rest, static_cast<size_t>(end - rest));
    read_fields(*line, fields);
    if (!line->has_ports && !line->has_icmp_type)
      line->later_fragment = fields.find(" FRAG:") != std::string_view::npos;
    return line;
  }
  return {};
}

// The kernel writes IPv4 dotted, so three digits from "224" on are 224.0.0.0/3.
bool is_group(std::string_view destination) {
  if (destination.starts_with('f')) return destination.starts_with("ff");
  return destination.size() > 3 && destination[3] == '.' && destination[0] == '2' && destination >= "224";
}

bool says_port_is_closed(std::string_view prefix) {
  for (size_t at = prefix.find('*'); at != std::string_view::npos; at = prefix.find('*', at + 1)) {
    const std::string_view rule = prefix.substr(at + 1);  // "TCP_IN Blocked* "
    const bool has_ports = rule.starts_with("TCP") || rule.starts_with("UDP");
    if (has_ports && (rule.substr(3).starts_with("_IN Blocked*") || rule.substr(3).starts_with("6IN Blocked*")))
      return true;
  }
  return prefix.find("[UFW BLOCK]") != std::string_view::npos;
}

}  // namespace palang
