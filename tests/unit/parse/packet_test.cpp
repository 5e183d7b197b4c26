#include "parse/packet.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::noon;
using Bytes = std::vector<uint8_t>;

constexpr uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;
constexpr uint8_t syn = 0x02, ack = 0x10;

void put16(Bytes& bytes, size_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}

Bytes joined(Bytes head, const Bytes& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Bytes tcp_segment(uint8_t flags, uint16_t port = 8083) {
  Bytes bytes;
  put16(bytes, 64490);
  put16(bytes, port);
  bytes.resize(12);
  bytes.push_back(5 << 4);
  bytes.push_back(flags);
  bytes.resize(20);
  return bytes;
}

Bytes udp_datagram(uint16_t port = 5353) {
  Bytes bytes;
  put16(bytes, 40000);
  put16(bytes, port);
  put16(bytes, 9);
  put16(bytes, 0);
  bytes.push_back('x');
  return bytes;
}

struct V4 {
  const char* from = "203.0.113.19";
  const char* to = "198.51.100.6";
  uint16_t fragment = 0;  // the field as it stands in the header
  size_t options = 0;     // bytes, a multiple of four
};

Bytes v4(uint8_t protocol, const Bytes& payload, const V4& how = {}) {
  Bytes bytes{static_cast<uint8_t>(0x45 + how.options / 4), 0};
  put16(bytes, 20 + how.options + payload.size());
  put16(bytes, 11223);
  put16(bytes, how.fragment);
  bytes.insert(bytes.end(), {55, protocol, 0, 0});
  for (const char* const text : {how.from, how.to}) {
    put16(bytes, address(text).v4_bits() >> 16);
    put16(bytes, address(text).v4_bits() & 0xffff);
  }
  bytes.resize(bytes.size() + how.options, 1);
  return joined(std::move(bytes), payload);
}

Bytes v6(uint8_t next, const Bytes& payload, const char* from = "2001:db8::15", const char* to = "2001:db8::1") {
  Bytes bytes{0x60, 0, 0, 0};
  put16(bytes, payload.size());
  bytes.insert(bytes.end(), {next, 55});
  for (const char* const text : {from, to})
    for (const uint8_t byte : address(text).bytes()) bytes.push_back(byte);
  return joined(std::move(bytes), payload);
}

// An extension header of 8 × (1 + `more`) bytes.
Bytes extension(uint8_t next, uint8_t more, const Bytes& payload) {
  Bytes bytes{next, more};
  bytes.resize(size_t{8} * (1U + more));
  return joined(std::move(bytes), payload);
}

Bytes fragment_header(uint8_t next, uint16_t offset, const Bytes& payload) {
  Bytes bytes{next, 0};
  put16(bytes, offset);
  put16(bytes, 0);
  put16(bytes, 77);
  return joined(std::move(bytes), payload);
}

RawPacket raw(const Bytes& bytes) {
  RawPacket packet;
  packet.bytes = bytes;
  packet.prefix = "refused: ";
  packet.in = "eth0";
  packet.at = noon;
  return packet;
}

LineFate fate(const Bytes& bytes) {
  return parse_packet(raw(bytes)).fate;
}

// What LineParser says of the line that is written about a packet.
ParsedLine by_its_line(const RawPacket& packet, std::string& line) {
  line = describe_packet(packet);
  return LineParser(noon).parse({line, Framing::kernel, packet.at});
}

void expect_the_same(const RawPacket& packet) {
  const ParsedLine direct = parse_packet(packet);
  std::string line;
  const ParsedLine written = by_its_line(packet, line);
  ASSERT_EQ(direct.fate, written.fate) << line;
  if (direct.fate != LineFate::judged) return;
  EXPECT_EQ(direct.event.source, written.event.source) << line;
  EXPECT_EQ(direct.event.port, written.event.port) << line;
  EXPECT_EQ(direct.event.protocol, written.event.protocol) << line;
  EXPECT_EQ(direct.event.at, written.event.at) << line;
  EXPECT_EQ(direct.event.port_is_closed, written.event.port_is_closed) << line;
}

TEST(Packet, TurnsASynIntoAnEvent) {
  const Bytes bytes = v4(tcp, tcp_segment(syn));
  const ParsedLine parsed = parse_packet(raw(bytes));
  ASSERT_EQ(parsed.fate, LineFate::judged);
  EXPECT_EQ(parsed.event.source, address("203.0.113.19"));
  EXPECT_EQ(parsed.event.port, 8083);
  EXPECT_EQ(parsed.event.protocol, Protocol::tcp);
  EXPECT_EQ(parsed.event.at, noon);
  EXPECT_EQ(parsed.event.proof, Proof::forgeable);
  EXPECT_FALSE(parsed.event.port_is_closed);
}

TEST(Packet, ThePrefixSaysWhetherThePortIsClosedToAll) {
  const Bytes bytes = v4(tcp, tcp_segment(syn));
  RawPacket packet = raw(bytes);
  packet.prefix = "[UFW BLOCK] ";
  EXPECT_TRUE(parse_packet(packet).event.port_is_closed);
}

TEST(Packet, OnlyNewContactsFromOutsideAreJudged) {
  EXPECT_EQ(fate(v4(udp, udp_datagram())), LineFate::judged);
  EXPECT_EQ(fate(v4(icmp, {8, 0, 0, 0})), LineFate::judged);
  EXPECT_EQ(fate(v6(tcp, tcp_segment(syn))), LineFate::judged);
  EXPECT_EQ(fate(v6(icmp6, {128, 0, 0, 0})), LineFate::judged);
  EXPECT_EQ(fate(v6(icmp6, {135, 0, 0, 0})), LineFate::backscatter);
  for (const int flags : {0x12, 0x10, 0x04, 0x01, 0x00, 0x06})
    EXPECT_EQ(fate(v4(tcp, tcp_segment(static_cast<uint8_t>(flags)))), LineFate::backscatter)
        << flags;  // no SYN, or not alone
  EXPECT_EQ(fate(v4(47, {0, 0, 0, 0})), LineFate::not_ours) << "GRE";
}

TEST(Packet, TheInterfacesSayWhichWayItGoes) {
  const Bytes bytes = v4(tcp, tcp_segment(syn));
  RawPacket packet = raw(bytes);
  packet.out = "eth1";
  EXPECT_EQ(parse_packet(packet).fate, LineFate::forwarded);
  packet.in = {};
  EXPECT_EQ(parse_packet(packet).fate, LineFate::outbound);
  packet.out = {};
  EXPECT_EQ(parse_packet(packet).fate, LineFate::broken);
}

TEST(Packet, ToAGroupIsMeantForNobodyInParticular) {
  for (const char* const group : {"224.0.0.251", "255.255.255.255"})
    EXPECT_EQ(fate(v4(udp, udp_datagram(), {.to = group})), LineFate::group) << group;
  EXPECT_EQ(fate(v6(udp, udp_datagram(), "2001:db8::15", "ff02::fb")), LineFate::group);
  const Bytes bytes = v4(udp, udp_datagram());
  const Bytes broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0, 2, 8, 0};
  RawPacket packet = raw(bytes);
  packet.link_bytes = broadcast;
  EXPECT_EQ(parse_packet(packet).fate, LineFate::group);
}

TEST(Packet, OptionsAndExtensionHeadersAreStepped) {
  EXPECT_EQ(parse_packet(raw(v4(tcp, tcp_segment(syn), {.options = 40}))).event.port, 8083);
  const Bytes bytes = v6(0, extension(43, 0, extension(60, 3, extension(tcp, 1, tcp_segment(syn, 22)))));
  EXPECT_EQ(fate(bytes), LineFate::judged);
  EXPECT_EQ(parse_packet(raw(bytes)).event.port, 22);
}

TEST(Packet, OnlyTheFirstFragmentTellsAPort) {
  constexpr uint16_t more_v4 = 0x2000;
  EXPECT_EQ(parse_packet(raw(v4(udp, udp_datagram(), {.fragment = more_v4}))).event.port, 5353);
  EXPECT_EQ(fate(v4(udp, udp_datagram(), {.fragment = 185})), LineFate::backscatter);
  EXPECT_EQ(parse_packet(raw(v6(44, fragment_header(udp, 1, udp_datagram())))).event.port, 5353);
  EXPECT_EQ(fate(v6(44, fragment_header(udp, 1448, udp_datagram()))), LineFate::backscatter);
}

TEST(Packet, ASourceThatNobodyCanHaveIsBroken) {
  for (const char* const nobody : {"0.0.0.0", "224.0.0.1", "255.255.255.255"})
    EXPECT_EQ(fate(v4(tcp, tcp_segment(syn), {.from = nobody})), LineFate::broken) << nobody;
  EXPECT_EQ(fate(v6(tcp, tcp_segment(syn), "::")), LineFate::broken);
}

TEST(Packet, IsDescribedAsTheKernelWould) {
  const Bytes bytes = v4(tcp, tcp_segment(syn));
  const Bytes link{0x52, 0x54, 0, 0x12, 0x34, 0x56, 0xfe, 0x54, 0, 0x12, 0x34, 0x57, 8, 0};
  RawPacket packet = raw(bytes);
  packet.link_bytes = link;
  EXPECT_EQ(describe_packet(packet),
            "refused: IN=eth0 OUT= MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 SRC=203.0.113.19 DST=198.51.100.6 "
            "LEN=40 TOS=0x00 TTL=55 PROTO=TCP SPT=64490 DPT=8083 RES=0x00 SYN URGP=0");
  packet.prefix = "refused";
  EXPECT_TRUE(describe_packet(packet).starts_with("refused IN=eth0 ")) << "readable without a space of the admin's";
  EXPECT_TRUE(describe_packet(raw(v6(icmp6, {128, 3, 0, 0})))
                  .ends_with("SRC=2001:db8::15 DST=2001:db8::1 LEN=4 TC=0 HOPLIMIT=55 PROTO=ICMPv6 TYPE=128 CODE=3"));
}

const std::vector<Bytes>& all_kinds() {
  static const std::vector<Bytes> kinds{
      v4(tcp, tcp_segment(syn)),
      v4(tcp, tcp_segment(syn | ack)),
      v4(tcp, tcp_segment(syn), {.options = 8}),
      v4(udp, udp_datagram()),
      v4(udp, udp_datagram(), {.to = "239.1.1.1"}),
      v4(udp, udp_datagram(), {.fragment = 185}),
      v4(icmp, {8, 0, 0, 0}),
      v4(icmp6, {128, 0, 0, 0}),
      v4(47, {0, 0, 0, 0}),
      v6(tcp, tcp_segment(syn)),
      v6(icmp, {8, 0, 0, 0}),
      v6(icmp6, {136, 0, 0, 0}),
      v6(0, extension(60, 1, extension(udp, 0, udp_datagram()))),
      v6(44, fragment_header(tcp, 1448, tcp_segment(syn))),
  };
  return kinds;
}

TEST(Packet, IsJudgedLikeTheLineAboutIt) {
  for (const Bytes& bytes : all_kinds()) expect_the_same(raw(bytes));
}

// However a packet is cut, it is no event or the same one.
TEST(Promise8, ACutPacketNamesNobodyElse) {
  for (const Bytes& whole : all_kinds()) {
    const ParsedLine want = parse_packet(raw(whole));
    for (size_t length = 0; length < whole.size(); ++length) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      const ParsedLine parsed = parse_packet(raw(cut));
      if (parsed.fate != LineFate::judged) continue;
      EXPECT_EQ(parsed.event.source, want.event.source);
      EXPECT_EQ(parsed.event.port, want.event.port);
    }
  }
}

TEST(Promise8, DamagedPacketsAreCountedAndNothingElse) {
  std::mt19937_64 random(20250112);
  LineCounts fates{};
  for (int round = 0; round < 50'000; ++round) {
    Bytes bytes = all_kinds()[random() % all_kinds().size()];
    for (uint64_t damage = 0; damage <= random() % 4; ++damage)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const ParsedLine parsed = parse_packet(raw(bytes));
    ++fates[static_cast<size_t>(parsed.fate)];
    if (parsed.fate == LineFate::judged) {
      ASSERT_TRUE(parsed.event.source.is_unicast());
      expect_the_same(raw(bytes));
    }
  }
  for (const LineFate one : {LineFate::judged, LineFate::broken, LineFate::not_ours, LineFate::backscatter})
    EXPECT_GT(fates[static_cast<size_t>(one)], 0U) << line_fate_name(one);
}

}  // namespace
}  // namespace palang
