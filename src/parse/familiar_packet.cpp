#include "parse/familiar_packet.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_finder.hpp"
#include "parse/short_word.hpp"

namespace palang {
namespace {

// Goes from '=' to '=' through a line, of which all keys must be the expected ones.
class Keys {
 public:
  // `begin`: at least 64 bytes before `end`.
  Keys(const char* begin, const char* end) : block_(begin), end_(end), equals_(matches_of_64(begin, '=')) {}

  // Whether the next '=' ends these four characters; then value() is behind it.
  [[nodiscard]] bool next_is(uint32_t key) {
    if (equals_ == 0 && !load_last()) return false;
    value_ = block_ + std::countr_zero(equals_) + 1;
    equals_ &= equals_ - 1;
    return load_word(value_ - 4) == key;
  }
  [[nodiscard]] const char* value() const { return value_; }
  [[nodiscard]] bool has(std::ptrdiff_t bytes) const { return end_ - value_ >= bytes; }

 private:
  // Of the bytes behind the first block, as far as one more reaches: enough for any line in the kernel's order.
  [[nodiscard]] bool load_last() {
    const char* unseen = block_ + 64;
    const char* last = std::min(unseen, end_ - 64);
    if (last <= block_) return false;
    equals_ = matches_of_64(last, '=') >> (unseen - last) << (unseen - last);
    block_ = last;
    return equals_ != 0;
  }

  const char* block_;
  const char* end_;
  uint64_t equals_;
  const char* value_ = nullptr;
};

// Whether this may be a multicast or broadcast address: IPv6, or 200 and more; see is_group().
bool may_be_group(const char* destination) {
  return destination[0] == 'f' || (destination[0] == '2' && destination[3] == '.');
}

// The address that the kernel wrote here, ending at a space; empty if there is none.
std::string_view address_at(const char* at) {
  constexpr size_t v6_length = 39;  // eight groups of four digits
  const uint32_t spaces = matches_of_16(at, ' ');
  const size_t length = spaces != 0 ? static_cast<size_t>(std::countr_zero(spaces)) : v6_length;
  return at[length] == ' ' ? std::string_view(at, length) : std::string_view{};
}

// From LEN to PROTO, for IPv4 or IPv6.
bool reach_protocol(Keys& keys) {
  if (!keys.next_is(word("LEN="))) return false;
  if (keys.next_is(word("TOS="))) {
    if (!keys.next_is(word("REC=")) || !keys.next_is(word("TTL=")) || !keys.next_is(word(" ID="))) return false;
  } else if (load_word(keys.value() - 4) != word(" TC=") || !keys.next_is(word("MIT=")) ||
             !keys.next_is(word("LBL="))) {
    return false;
  }
  return keys.next_is(word("OTO=")) && load_word(keys.value() - 7) == word(" PRO");
}

Protocol protocol_at(const Keys& keys) {
  if (!keys.has(4)) return Protocol::other;
  switch (load_word(keys.value())) {
    case word("TCP "): return Protocol::tcp;
    case word("UDP "): return Protocol::udp;
    default: return Protocol::other;
  }
}

std::optional<uint16_t> port_at(const Keys& keys) {
  constexpr unsigned longest = 5;
  if (!keys.has(8)) return {};
  const uint64_t bytes = load_eight(keys.value());
  const unsigned length = length_of_short_word(bytes);
  const auto number = length > longest ? std::nullopt : number_of_digits(bytes, length);
  return number && *number <= UINT16_MAX ? std::optional(static_cast<uint16_t>(*number)) : std::nullopt;
}

// SYN alone: "WINDOW=50169 RES=0x00 SYN URGP=0".
bool is_new_connection(Keys& keys) {
  if (!keys.next_is(word("DOW=")) || !keys.next_is(word("RES=")) || !keys.has(13)) return false;
  return load_word(keys.value() + 5) == word("SYN ") && load_word(keys.value() + 9) == word("URGP");
}

}  // namespace

inline bool FamiliarPackets::Beginning::begins(std::string_view message) const {
  return message.size() >= length + shortest_rest && load_eight(message.data() + 8) == load_eight(text.data() + 8) &&
         std::memcmp(message.data(), text.data(), length) == 0;
}

const FamiliarPackets::Beginning* FamiliarPackets::other_beginning_of(std::string_view message) {
  for (size_t i = 0; i < known_.size(); ++i) {
    if (!known_[i].begins(message)) continue;
    last_ = i;
    return &known_[i];
  }
  return nullptr;
}

std::optional<FamiliarPackets::Packet> FamiliarPackets::read(std::string_view message) {
  const Beginning* beginning = known_[last_].begins(message) ? &known_[last_] : other_beginning_of(message);
  if (beginning == nullptr) return {};
  const char* rest = message.data() + beginning->length;
  Keys keys(rest, message.data() + message.size());
  const std::string_view source = address_at(rest);
  if (!keys.next_is(word("DST=")) || source.data() + source.size() + 5 != keys.value()) return {};
  if (may_be_group(keys.value()) || !reach_protocol(keys)) return {};
  const Protocol protocol = protocol_at(keys);
  if (protocol == Protocol::other || !keys.next_is(word("SPT=")) || !keys.next_is(word("DPT="))) return {};
  const auto port = port_at(keys);
  if (!port || (protocol == Protocol::tcp && !is_new_connection(keys))) return {};
  return Packet{source, protocol, *port, beginning->port_is_closed};
}

void FamiliarPackets::learn(std::string_view message, const NetfilterLine& line) {
  const auto length = static_cast<size_t>(line.source.data() - message.data());
  if (length < 16 || length > Beginning{}.text.size()) return;
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
