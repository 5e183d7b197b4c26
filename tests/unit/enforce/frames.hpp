#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unit/make.hpp"

namespace palang::testing {

enum TcpFlags : uint8_t { fin = 0x01, syn = 0x02, rst = 0x04, ack = 0x10 };

// One frame on the wire, in the words of a test: Frame{.from = "198.51.100.7", .port = 22}.
struct Frame {
  std::string from = "198.51.100.7";
  std::string to = {};  // 192.0.2.1 or 2001:db8::1
  uint8_t protocol = IPPROTO_TCP;
  uint16_t port = 22;
  uint16_t source_port = 40000;
  uint8_t flags = syn;
  uint32_t sequence = 1;
  uint32_t acknowledges = 0;
  std::vector<uint16_t> vlans = {};  // EtherTypes of tags, the outer first
  size_t options = 0;                // bytes of IPv4 options
  uint16_t offset = 0;               // of a fragment, in units of 8 bytes
  bool more = false;                 // fragments follow
  std::vector<uint8_t> extensions = {};
  uint8_t icmp_type = 8;
  size_t payload = 0;

  [[nodiscard]] std::string bytes() const;
};

namespace wire {

inline void put8(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value));
}
inline void put16(std::string& out, unsigned value) {
  put8(out, value >> 8 & 0xff);
  put8(out, value & 0xff);
}
inline void put32(std::string& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
inline void put_address(std::string& out, const Address& address) {
  const auto bytes = address.bytes();
  const size_t from = address.is_v4() ? 12 : 0;
  out.append(reinterpret_cast<const char*>(bytes.data()) + from, bytes.size() - from);
}
inline uint16_t checksum(std::string_view bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); ++i)
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

inline std::string transport(const Frame& frame) {
  std::string out;
  if (frame.protocol == IPPROTO_TCP) {
    put16(out, frame.source_port);
    put16(out, frame.port);
    put32(out, frame.sequence);
    put32(out, frame.acknowledges);
    put8(out, 5U << 4);
    put8(out, frame.flags);
    put16(out, 64240);
    put32(out, 0);
  } else if (frame.protocol == IPPROTO_UDP) {
    put16(out, frame.source_port);
    put16(out, frame.port);
    put16(out, static_cast<unsigned>(8 + frame.payload));
    put16(out, 0);
  } else {
    put8(out, frame.icmp_type);
    out.append(7, '\0');
  }
  return out.append(frame.payload, 'x');
}

// A pseudo header's sum, for the checksum of TCP.
inline uint32_t pseudo(const Address& from, const Address& to, size_t length, uint8_t protocol) {
  std::string header;
  put_address(header, from);
  put_address(header, to);
  put32(header, static_cast<uint32_t>(length));
  put32(header, protocol);
  return static_cast<uint16_t>(~checksum(header));
}

inline std::string network4(const Frame& frame, const Address& to, const std::string& inner) {
  std::string out;
  put8(out, static_cast<unsigned>(0x40 | (5 + frame.options / 4)));
  put8(out, 0);
  put16(out, static_cast<unsigned>(20 + frame.options + inner.size()));
  put16(out, 7);
  put16(out, frame.offset | (frame.more ? 0x2000U : 0U));
  put8(out, 64);
  put8(out, frame.protocol);
  put16(out, 0);
  put_address(out, make::address(frame.from));
  put_address(out, to);
  out.append(frame.options, '\x01');  // no operation
  const uint16_t sum = checksum(out);
  out[10] = static_cast<char>(sum >> 8);
  out[11] = static_cast<char>(sum);
  return out + inner;
}

inline std::string network6(const Frame& frame, const Address& to, const std::string& inner) {
  std::vector<uint8_t> chain = frame.extensions;
  chain.push_back(frame.protocol);
  std::string extensions;
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    put8(extensions, chain[i + 1]);
    // An authentication header counts in 4 bytes, less two of them; all others in 8, less one.
    put8(extensions, chain[i] == IPPROTO_AH ? 2 : chain[i] == IPPROTO_FRAGMENT ? 0 : 1);
    if (chain[i] == IPPROTO_FRAGMENT) {
      put16(extensions, static_cast<unsigned>(frame.offset << 3 | (frame.more ? 1 : 0)));
      put32(extensions, 7);
    } else {
      extensions.append(14, '\0');
    }
  }
  std::string out;
  put32(out, 0x60000000);
  put16(out, static_cast<unsigned>(extensions.size() + inner.size()));
  put8(out, chain.front());
  put8(out, 64);
  put_address(out, make::address(frame.from));
  put_address(out, to);
  return out + extensions + inner;
}

}  // namespace wire

inline std::string Frame::bytes() const {
  const Address source = make::address(from);
  const Address target = make::address(!to.empty() ? to : source.is_v4() ? "192.0.2.1" : "2001:db8::1");
  std::string out("\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
  for (const uint16_t tag : vlans) {
    wire::put16(out, tag);
    wire::put16(out, 100);
  }
  wire::put16(out, source.is_v4() ? 0x0800 : 0x86dd);
  std::string inner = offset != 0 ? std::string(payload, 'x') : wire::transport(*this);
  if (offset == 0 && protocol == IPPROTO_TCP) {
    const uint16_t sum = wire::checksum(inner, wire::pseudo(source, target, inner.size(), protocol));
    inner[16] = static_cast<char>(sum >> 8);
    inner[17] = static_cast<char>(sum);
  }
  return out + (source.is_v4() ? wire::network4(*this, target, inner) : wire::network6(*this, target, inner));
}

}  // namespace palang::testing
