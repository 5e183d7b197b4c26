#include "parse/familiar_packet.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "parse/line_parser.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;

const std::string beginning =
    "2025-01-12T00:30:41.931343+07:00 web1 kernel: Firewall: *TCP_IN Blocked* IN=eth0 OUT= "
    "MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 SRC=";
const std::string to4 = " DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 ";
const std::string to6 = " DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=64 TC=0 HOPLIMIT=55 FLOWLBL=0 ";
const std::string syn = "SPT=64490 DPT=8000 WINDOW=50169 RES=0x00 SYN URGP=0";
const std::string v6 = "2001:0db8:0000:0000:0000:0000:0000:0015";

// As the kernel writes it.
std::vector<std::string> lines() {
  return {
      beginning + "203.0.113.19" + to4 + "PROTO=TCP " + syn,
      beginning + "1.2.3.4" + to4 + "DF PROTO=TCP " + syn + " ",
      beginning + v6 + to6 + "PROTO=TCP " + syn,
      beginning + "203.0.113.19" + to4 + "DF PROTO=UDP SPT=5097 DPT=53 LEN=8",
      beginning + v6 + to6 + "PROTO=UDP SPT=5097 DPT=65535 LEN=426",
      beginning + "203.0.113.19" + to4 + "PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=1",
      beginning + "203.0.113.19" + to4 + "PROTO=TCP SPT=1 DPT=2 WINDOW=3 RES=0x00 ACK SYN URGP=0",
      beginning + "203.0.113.19" + to4 + "PROTO=TCP SPT=1 DPT=2 SEQ=4 ACK=5 WINDOW=3 RES=0x00 SYN URGP=0",
      beginning + "203.0.113.19 DST=224.0.0.1 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP " + syn,
      beginning + "203.0.113.19" + to4 + "FRAG:8 PROTO=UDP ",
      beginning + "203.0.113.19" + to4 + "OPT (94040000) PROTO=TCP " + syn,
  };
}

std::string read(LineParser& parser, const std::string& line) {
  const ParsedLine parsed = parser.parse({line, Framing::syslog, noon});
  if (parsed.fate != LineFate::judged) return std::string(line_fate_name(parsed.fate));
  const Event& event = parsed.event;
  return event.source.text() + " " + std::string(protocol_name(event.protocol)) + " " + std::to_string(event.port) +
         (event.port_is_closed ? " closed " : " ") + std::to_string(event.at.time_since_epoch().count());
}

LineParser parser_that_knows_the_beginning() {
  LineParser parser(noon);
  (void)read(parser, lines()[0]);
  return parser;
}

TEST(FamiliarPackets, AreReadFromTheirSourceOn) {
  FamiliarPackets familiar;
  const std::string line = lines()[0];
  const auto parsed = parse_netfilter(line);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(familiar.read(line));
  familiar.learn(line, *parsed);
  const std::string other = lines()[4];
  const auto packet = familiar.read(other);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->source, v6);
  EXPECT_EQ(packet->protocol, Protocol::udp);
  EXPECT_EQ(packet->destination_port, 65535);
  EXPECT_TRUE(packet->port_is_closed);
}

TEST(FamiliarPackets, SayWhatUnfamiliarOnesSay) {
  LineParser knowing = parser_that_knows_the_beginning();
  for (const std::string& line : lines()) {
    LineParser new_born(noon);
    EXPECT_EQ(read(knowing, line), read(new_born, line)) << line;
  }
}

TEST(Promise8, DamagedFamiliarLinesSayWhatUnfamiliarOnesSay) {
  std::mt19937_64 random(20250112);
  const std::string letters = " =0123456789.:SRCDTPOMFK[\xff";
  const auto all = lines();
  for (int i = 0; i < 20'000; ++i) {
    std::string line = all[random() % all.size()];
    for (size_t hurt = 1 + random() % 3; hurt > 0; --hurt)
      line[random() % line.size()] = letters[random() % letters.size()];
    if (random() % 4 == 0) line.resize(random() % line.size());
    LineParser knowing = parser_that_knows_the_beginning();
    LineParser new_born(noon);
    ASSERT_EQ(read(knowing, line), read(new_born, line)) << line;
  }
}

// Between OUT= and SRC= stands what an odd firewall may add, and a later line need not say the same there.
TEST(FamiliarPackets, AreNotLearntFromOddBeginnings) {
  FamiliarPackets familiar;
  const std::string line = "IN=eth0 OUT= DPT=1 SRC=203.0.113.19" + to4 + "PROTO=TCP " + syn;
  familiar.learn(line, *parse_netfilter(line));
  EXPECT_FALSE(familiar.read(line));
}

TEST(FamiliarPackets, AreForgottenWhenThereAreManyBeginnings) {
  FamiliarPackets familiar;
  for (int i = 0; i < 100; ++i) {
    const std::string line = "IN=eth" + std::to_string(i) + " OUT= MAC= SRC=203.0.113.19" + to4 + "PROTO=TCP " + syn;
    familiar.learn(line, *parse_netfilter(line));
    EXPECT_TRUE(familiar.read(line)) << i;
  }
}

}  // namespace
}  // namespace palang
