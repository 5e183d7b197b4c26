#include "parse/familiar_packet.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_finder.hpp"
#include "parse/short_word.hpp"

namespace palang {
namespace {

// Goes through the fields of a line, of which all keys must be the expected ones.
class FieldSteps {
 public:
  FieldSteps(const char* at, const char* end) : at_(at), end_(end) {}

  // From an address to the value behind `key`; returns the address, empty if that is not what is there.
  template <size_t size>
  std::string_view address_before(const char (&key)[size]) {
    constexpr size_t v6_length = 39;  // the kernel writes eight groups of four digits
    if (end_ - at_ < static_cast<std::ptrdiff_t>(v6_length + size)) return {};
    const uint32_t spaces = matches_of_16(at_, ' ');
    const size_t length = spaces != 0 ? static_cast<size_t>(std::countr_zero(spaces)) : v6_length;
    const std::string_view address(at_, length);
    return at_[length] == ' ' && pass(length + 1, key) ? address : std::string_view{};
  }
  // From a value of up to seven characters to the one behind `key`.
  template <size_t size>
  [[nodiscard]] bool to(const char (&key)[size]) {
    if (end_ - at_ < static_cast<std::ptrdiff_t>(8 + size)) return false;
    return pass(length_of_short_word(load_eight(at_)) + 1, key);
  }
  // Over a mark that may stand before the next field: "DF" of "ID=0 DF PROTO=TCP".
  void skip_mark(uint16_t mark) {
    if (end_ - at_ < 16) return;
    const unsigned length = length_of_short_word(load_eight(at_));
    uint16_t word = 0;
    std::memcpy(&word, at_ + length + 1, sizeof word);
    if (length < 8 && word == mark) at_ += length + 1;
  }
  // The port here, and from there to the value behind one of two keys.
  [[nodiscard]] std::optional<uint16_t> port() const {
    constexpr unsigned longest = 5;
    if (end_ - at_ < 8) return {};
    const uint64_t bytes = load_eight(at_);
    const unsigned length = length_of_short_word(bytes);
    const auto number = length > longest ? std::nullopt : number_of_digits(bytes, length);
    return number && *number <= UINT16_MAX ? std::optional(static_cast<uint16_t>(*number)) : std::nullopt;
  }
  [[nodiscard]] const char* at() const { return at_; }
  [[nodiscard]] std::ptrdiff_t left() const { return end_ - at_; }

 private:
  template <size_t size>
  [[nodiscard]] bool pass(size_t length, const char (&key)[size]) {
    if (std::memcmp(at_ + length, key, size - 1) != 0) return false;
    at_ += length + size - 1;
    return true;
  }

  const char* at_;
  const char* end_;
};

constexpr uint16_t mark_of(const char (&text)[3]) {
  return static_cast<uint16_t>(text[0] | text[1] << 8);
}

// From the value of LEN to that of PROTO, for IPv4 or IPv6.
bool reach_protocol(FieldSteps& fields) {
  if (fields.to("TOS=")) {
    if (!fields.to("PREC=") || !fields.to("TTL=") || !fields.to("ID=")) return false;
    fields.skip_mark(mark_of("DF"));
    return fields.to("PROTO=");
  }
  return fields.to("TC=") && fields.to("HOPLIMIT=") && fields.to("FLOWLBL=") && fields.to("PROTO=");
}

// "TCP " or "UDP ".
Protocol protocol_at(const FieldSteps& fields) {
  if (fields.left() < 4 || fields.at()[2] != 'P' || fields.at()[3] != ' ') return Protocol::other;
  if (fields.at()[0] == 'T' && fields.at()[1] == 'C') return Protocol::tcp;
  return fields.at()[0] == 'U' && fields.at()[1] == 'D' ? Protocol::udp : Protocol::other;
}

// SYN alone, behind "RES=0x00 ".
bool is_new_connection(FieldSteps& fields) {
  constexpr std::string_view flags = " SYN URGP=";
  if (!fields.to("WINDOW=") || !fields.to("RES=")) return false;
  return fields.left() > 4 + static_cast<std::ptrdiff_t>(flags.size()) &&
         std::memcmp(fields.at() + 4, flags.data(), flags.size()) == 0;
}

}  // namespace

const FamiliarPackets::Beginning* FamiliarPackets::beginning_of(std::string_view message) {
  const auto is = [&](const Beginning& beginning) {
    return beginning.length > 0 && message.size() > beginning.length &&
           std::memcmp(message.data(), beginning.text.data(), beginning.length) == 0;
  };
  if (is(known_[last_])) return &known_[last_];
  for (size_t i = 0; i < known_.size(); ++i) {
    if (!is(known_[i])) continue;
    last_ = i;
    return &known_[i];
  }
  return nullptr;
}

std::optional<FamiliarPackets::Packet> FamiliarPackets::read(std::string_view message) {
  const Beginning* beginning = beginning_of(message);
  if (beginning == nullptr) return {};
  FieldSteps fields(message.data() + beginning->length, message.data() + message.size());
  Packet packet;
  packet.port_is_closed = beginning->port_is_closed;
  packet.source = fields.address_before("DST=");
  const std::string_view destination = packet.source.empty() ? std::string_view{} : fields.address_before("LEN=");
  if (destination.empty() || is_group(destination) || !reach_protocol(fields)) return {};
  packet.protocol = protocol_at(fields);
  if (packet.protocol == Protocol::other || !fields.to("SPT=") || !fields.to("DPT=")) return {};
  const auto port = fields.port();
  if (!port || (packet.protocol == Protocol::tcp && !is_new_connection(fields))) return {};
  packet.destination_port = *port;
  return packet;
}

void FamiliarPackets::learn(std::string_view message, const NetfilterLine& line) {
  const auto length = static_cast<size_t>(line.source.data() - message.data());
  if (length > Beginning{}.text.size()) return;
  // Between OUT= and SRC= there is nothing but the MAC addresses: so no other line with this beginning says more there.
  const char* behind_out = line.out.data() + line.out.size();
  const std::string_view between(behind_out, static_cast<size_t>(line.source.data() - behind_out));
  if (std::ranges::count(between, '=') != (between.starts_with(" MAC=") ? 2 : 1)) return;
  Beginning& beginning = known_[next_];
  next_ = (next_ + 1) % known_.size();
  message.copy(beginning.text.data(), length);
  beginning.length = length;
  beginning.port_is_closed = says_port_is_closed(line.prefix);
}

}  // namespace palang
