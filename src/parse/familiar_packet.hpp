#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "parse/netfilter_line.hpp"

namespace palang {

// Firewall lines of one log begin alike by the thousand, up to the address of their source. What such a beginning says
// is remembered, so that in nearly all lines only what differs is read. Says the same as parse_netfilter(), or nothing.
class FamiliarPackets {
 public:
  // A new inbound contact: a TCP SYN, or UDP; not to a group.
  struct Packet {
    std::string_view source;
    Protocol protocol = Protocol::other;
    uint16_t destination_port = 0;
    bool port_is_closed = false;  // see says_port_is_closed()
  };
  [[nodiscard]] std::optional<Packet> read(std::string_view message);
  // `line` is what parse_netfilter() made of `message`, and it was judged.
  void learn(std::string_view message, const NetfilterLine& line);

 private:
  struct Beginning {
    std::array<char, 192> text{};  // "Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC=… SRC="
    size_t length = SIZE_MAX / 2;  // longer than any message: nothing is known
    bool port_is_closed = false;

    [[nodiscard]] bool begins(std::string_view message) const;
  };
  static constexpr size_t shortest_rest = 64;  // bytes; no line that ends earlier is in the kernel's order

  [[nodiscard]] const Beginning* other_beginning_of(std::string_view message);

  std::array<Beginning, 8> known_;
  size_t last_ = 0;  // the one that was met last
  size_t next_ = 0;  // the one to be replaced
};

}  // namespace palang
