#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang {

enum class Protocol : uint8_t { other, tcp, udp, icmp, icmp6 };

[[nodiscard]] std::string_view protocol_name(Protocol protocol);  // "tcp"

// Any subset of the 65,536 ports of one protocol.
class PortSet {
 public:
  void add(uint16_t port) { bits_.set(port); }
  void remove(uint16_t port) { bits_.reset(port); }
  [[nodiscard]] bool contains(uint16_t port) const { return bits_.test(port); }
  [[nodiscard]] std::vector<uint16_t> list() const;  // ascending
  friend bool operator==(const PortSet&, const PortSet&) = default;

 private:
  std::bitset<65536> bits_;
};

// The ports of this host that are open to the public (see Scope in model/decision.hpp).
struct PublicPorts {
  PortSet tcp;
  PortSet udp;
  friend bool operator==(const PublicPorts&, const PublicPorts&) = default;
};

}  // namespace palang
