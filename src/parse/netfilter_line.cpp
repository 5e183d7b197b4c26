#include "parse/netfilter_line.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "base/byte_finder.hpp"

namespace palang {
namespace {

// Four characters as one number in this machine's byte order, so that a key is found with one comparison.
consteval uint32_t word(const char (&text)[5]) {
  return std::bit_cast<uint32_t>(std::array<char, 4>{text[0], text[1], text[2], text[3]});
}

uint32_t load_word(const char* at) {
  uint32_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}

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

// The prefix is the admin's and may hold anything, even "IN=": only "IN=… OUT=" counts.
std::optional<NetfilterLine> read_in_any_order(std::string_view message) {
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

// The first '=' of a message, as many as a line in the kernel's order has of interest.
class EqualSigns {
 public:
  explicit EqualSigns(std::string_view message) {
    const char* block = message.data();
    const char* end = block + message.size();
    for (; end - block >= 64 && count_ < wanted; block += 64) add(block, matches_of_64(block, '='));
    if (block != end && count_ < wanted && message.size() >= 64) {
      const auto seen = static_cast<unsigned>(64 - (end - block));  // of the last 64 bytes
      add(end - 64, matches_of_64(end - 64, '=') >> seen << seen);
    }
    for (size_t i = count_; i < wanted; ++i) at_[i] = no_sign + 6;
  }

  // The sign with this number, of at least `wanted`; beyond the last it is one behind blanks.
  const char* operator[](size_t i) const { return at_[i]; }
  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] bool is(size_t i, uint32_t key) const { return load_word(at_[i] - 3) == key; }

 private:
  static constexpr size_t wanted = 16;
  static constexpr char no_sign[] = "       ";

  void add(const char* block, uint64_t matches) {
    size_t count = count_;
    for (; matches != 0; matches &= matches - 1) at_[count++] = block + std::countr_zero(matches);
    count_ = count;
  }

  size_t count_ = 0;
  std::array<const char*, wanted + 64> at_;
};

// Whether the keys are IN OUT MAC SRC DST and, behind what IPv4 or IPv6 have in between, PROTO SPT DPT; then the
// number of PROTO, else 0.
size_t protocol_in_kernel_order(const EqualSigns& equals, const char* begin) {
  static constexpr std::array between4{word("LEN="), word("TOS="), word("REC="), word("TTL="), word(" ID=")};
  static constexpr std::array between6{word("LEN="), word(" TC="), word("MIT="), word("LBL=")};
  if (equals[0] - begin < 4 || load_word(equals[0] - 3) >> 8 != word(" IN=") >> 8) return 0;
  const bool is_addressed = equals.is(1, word("OUT=")) && equals.is(2, word("MAC=")) && equals.is(3, word("SRC=")) &&
                            equals.is(4, word("DST=")) && equals[3][-4] == ' ' && equals[4][-4] == ' ';
  if (!is_addressed) return 0;
  const std::span<const uint32_t> between = equals.is(6, between4[1]) ? std::span<const uint32_t>(between4) : between6;
  size_t at = 5;
  for (const uint32_t key : between)
    if (!equals.is(at++, key)) return 0;
  const bool is_protocol = equals.is(at, word("OTO=")) && load_word(equals[at] - 6) == word(" PRO");
  return is_protocol && equals.is(at + 1, word("SPT=")) && equals.is(at + 2, word("DPT=")) ? at : 0;
}

// Reads a line whose keys are exactly those that the kernel writes for a TCP or UDP packet, in its order. Nearly all
// lines are such, and by position they are read in a third of the time. Nothing for any other.
std::optional<NetfilterLine> read_in_kernel_order(std::string_view message) {
  const char* begin = message.data();
  const char* end = begin + message.size();
  const EqualSigns equals(message);
  const size_t at = equals.size() < 10 ? 0 : protocol_in_kernel_order(equals, begin);
  if (at == 0) return {};
  const std::string_view in = value_at(equals[0] + 1, end);
  if (in.data() + in.size() + 4 != equals[1]) return {};
  const std::string_view protocol_text = value_at(equals[at] + 1, end);
  const Protocol protocol = protocol_named(protocol_text);
  uint16_t port = 0;
  if (!read_number(equals[at + 2] + 1, end, port)) return {};
  const bool is_udp = protocol == Protocol::udp && equals.is(at + 3, word("LEN=")) && equals.size() == at + 4;
  const bool is_tcp = protocol == Protocol::tcp && equals.is(at + 3, word("DOW=")) && equals.is(at + 4, word("RES="));
  if (!is_udp && (!is_tcp || end - equals[at + 4] < 7)) return {};
  std::optional<NetfilterLine> line(NetfilterLine{
      .prefix = {begin, static_cast<size_t>(equals[0] - 2 - begin)},
      .in = in,
      .out = value_at(equals[1] + 1, end),
      .mac_destination = {equals[2] + 1, 17},  // there is more than this behind it
      .source = value_at(equals[3] + 1, end),
      .destination = value_at(equals[4] + 1, end),
      .protocol_text = protocol_text,
      .protocol = protocol,
      .destination_port = port,
      .has_ports = true,
  });
  if (is_tcp) read_tcp_flags(*line, equals[at + 4] + 6, end);
  return line;
}

}  // namespace

std::optional<NetfilterLine> parse_netfilter(std::string_view message) {
  if (const auto line = read_in_kernel_order(message)) return line;
  return read_in_any_order(message);
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
