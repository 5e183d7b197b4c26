#include "parse/line_parser.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::noon;

constexpr std::string_view header = "2025-01-12T00:30:41.931343+07:00 web1 kernel: ";
constexpr std::string_view tcp =
    "Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 SRC=203.0.113.19 "
    "DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP SPT=64490 DPT=8000 WINDOW=50169 RES=0x00 "
    "SYN URGP=0";
constexpr std::string_view udp =
    "Firewall: *UDP_IN Blocked* IN=eth0 OUT= MAC= SRC=203.0.113.19 DST=198.51.100.6 LEN=446 TOS=0x00 PREC=0x00 TTL=53 "
    "ID=36291 DF PROTO=UDP SPT=5097 DPT=8000 LEN=426";
constexpr std::string_view icmp6 =
    "Firewall: *ICMP6IN Blocked* IN=eth0 OUT= MAC= SRC=2001:0db8:0000:0000:0000:0000:0000:0015 "
    "DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=64 TC=0 HOPLIMIT=55 FLOWLBL=0 PROTO=ICMPv6 TYPE=128 CODE=0 ID=1 "
    "SEQ=1";

ParsedLine parse(std::string_view text, Framing framing = Framing::syslog) {
  return LineParser(noon).parse({text, framing, noon + one_day});
}

TEST(LineParser, TurnsALineIntoAnEvent) {
  const std::string text = std::string(header) + std::string(tcp);
  const ParsedLine parsed = parse(text);
  ASSERT_EQ(parsed.fate, LineFate::judged);
  EXPECT_EQ(parsed.event.at, make::utc("2025-01-11T17:30:41Z") + 931'343us);
  EXPECT_EQ(parsed.event.source, address("203.0.113.19"));
  EXPECT_EQ(parsed.event.port, 8000);
  EXPECT_EQ(parsed.event.protocol, Protocol::tcp);
  EXPECT_TRUE(parsed.event.port_is_closed);
  EXPECT_EQ(parsed.event.line, text);
}

TEST(Promise1, NoPacketFromALogIsMoreThanForgeable) {
  for (const std::string_view message : {tcp, udp, icmp6})
    EXPECT_EQ(parse(message, Framing::kernel).event.proof, Proof::forgeable);
}

// However a line is cut, it is no event or the same one: never another source, never another port.
TEST(Promise8, ACutLineNamesNobodyElse) {
  for (const std::string_view message : {tcp, udp, icmp6}) {
    const Event whole = parse(message, Framing::kernel).event;
    for (size_t length = 0; length < message.size(); ++length) {
      const ParsedLine cut = parse(message.substr(0, length), Framing::kernel);
      if (cut.fate != LineFate::judged) {
        EXPECT_TRUE(cut.fate == LineFate::broken || cut.fate == LineFate::not_ours) << message.substr(0, length);
        continue;
      }
      EXPECT_EQ(cut.event.source, whole.source) << message.substr(0, length);
      EXPECT_EQ(cut.event.port, whole.port) << message.substr(0, length);
      EXPECT_EQ(cut.event.protocol, whole.protocol) << message.substr(0, length);
    }
  }
}

TEST(Promise8, ACutHeaderIsNoEvent) {
  const std::string text = std::string(header) + std::string(tcp);
  for (size_t from = 1; from <= header.size(); ++from)
    EXPECT_NE(parse(std::string_view(text).substr(from)).fate, LineFate::judged) << text.substr(from);
}

TEST(Promise8, DamagedLinesAreCountedAndNothingElse) {
  std::mt19937_64 random(20250112);
  LineParser parser(noon);
  LineCounts fates{};
  for (int round = 0; round < 20'000; ++round) {
    std::string text = std::string(header) + std::string(round % 2 == 0 ? tcp : icmp6);
    for (uint64_t damage = 0; damage <= random() % 4; ++damage) switch (random() % 4) {
        case 0: text[random() % text.size()] = static_cast<char>(random()); break;
        case 1: text.erase(random() % text.size(), random() % 20); break;
        case 2: text.insert(random() % text.size(), text.substr(random() % text.size(), random() % 30)); break;
        default: text.insert(random() % text.size(), 1, '\0');
      }
    const ParsedLine parsed = parser.parse({text, Framing::syslog, noon});
    ++fates[static_cast<size_t>(parsed.fate)];
    if (parsed.fate != LineFate::judged) continue;
    ASSERT_TRUE(parsed.event.source.is_unicast()) << text;
    ASSERT_EQ(parsed.event.line.data(), text.data());
  }
  uint64_t all = 0;
  for (const uint64_t count : fates) all += count;
  EXPECT_EQ(all, 20'000U) << "each line has one fate";
  EXPECT_GT(fates[static_cast<size_t>(LineFate::broken)], 0U);
}

TEST(Promise8, OversizedAndBinaryLinesAreOrdinary) {
  const std::string long_line = std::string(header) + std::string(1 << 20, 'A') + std::string(tcp);
  EXPECT_EQ(parse(long_line).fate, LineFate::judged) << "a long prefix is a prefix";
  EXPECT_EQ(parse(std::string(1 << 20, '=')).fate, LineFate::no_header);
  EXPECT_EQ(parse(std::string(1 << 20, '\0')).fate, LineFate::no_header);
  EXPECT_EQ(parse(std::string(header) + std::string(1 << 16, '=')).fate, LineFate::not_ours);
}

TEST(LineFate, NamesDiffer) {
  for (size_t a = 0; a < line_fates; ++a)
    for (size_t b = 0; b < a; ++b)
      EXPECT_NE(line_fate_name(static_cast<LineFate>(a)), line_fate_name(static_cast<LineFate>(b)));
}

}  // namespace
}  // namespace palang
