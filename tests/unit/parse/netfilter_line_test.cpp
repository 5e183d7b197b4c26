#include "parse/netfilter_line.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/byte_finder.hpp"
#include "net/address_text.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

constexpr std::string_view syn =
    "Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 SRC=203.0.113.9 "
    "DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP SPT=64490 DPT=8000 WINDOW=50169 RES=0x00 "
    "SYN URGP=0 ";

TEST(NetfilterLine, ReadsItsFields) {
  const auto line = parse_netfilter(syn);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->prefix, "Firewall: *TCP_IN Blocked* ");
  EXPECT_EQ(line->in, "eth0");
  EXPECT_EQ(line->out, "");
  EXPECT_EQ(line->mac_destination, "52:54:00:12:34:56");
  EXPECT_EQ(line->source, "203.0.113.9");
  EXPECT_EQ(line->destination, "198.51.100.6");
  EXPECT_EQ(line->protocol, Protocol::tcp);
  EXPECT_EQ(line->destination_port, 8000);
  EXPECT_TRUE(line->has_ports);
  EXPECT_TRUE(line->syn);
  EXPECT_FALSE(line->ack);
  EXPECT_FALSE(line->rst);
}

TEST(NetfilterLine, ReadsTheLinkLayerThatNftLogsWithFlagsEther) {
  const auto line = parse_netfilter(
      "IN=eth0 OUT= MACSRC=fe:54:00:12:34:57 MACDST=ff:ff:ff:ff:ff:ff VPROTO=8100 VID=7 MACPROTO=0800 SRC=203.0.113.9 "
      "DST=198.51.100.6 LEN=40 PROTO=UDP SPT=1 DPT=2 LEN=20 ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->source, "203.0.113.9");
  EXPECT_EQ(line->destination, "198.51.100.6");
  EXPECT_EQ(line->mac_destination, "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(line->protocol, Protocol::udp);
}

TEST(NetfilterLine, ReadsFlagsOfAnyNumber) {
  const auto flags = [](std::string text) {
    const std::string message =
        "IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 PROTO=TCP SPT=1 DPT=2 SEQ=7 ACK=0 WINDOW=5 RES=0x00 " + text;
    const auto line = parse_netfilter(message);
    return std::string(line->syn ? "S" : "") + (line->ack ? "A" : "") + (line->rst ? "R" : "") +
           (line->has_flags ? "." : "");
  };
  EXPECT_EQ(flags("SYN URGP=0 "), "S.");
  EXPECT_EQ(flags("ACK SYN URGP=0 "), "SA.");
  EXPECT_EQ(flags("CWR ECE SYN URGP=0 "), "S.");
  EXPECT_EQ(flags("AE CWR ECE SYN URGP=0 "), "S.") << "accurate ECN, Linux 6.15";
  EXPECT_EQ(flags("ACK PSH RST FIN URGP=0 "), "AR.");
  EXPECT_EQ(flags("URGP=0 "), ".");
  EXPECT_EQ(flags("SY"), "");
  EXPECT_EQ(flags(""), "");
  EXPECT_EQ(flags("URGP=0 OPT (0204) SYN ACK "), ".") << "nothing behind the flags is one";
}

TEST(NetfilterLine, NumbersMustBeWholeAndFit) {
  const auto port = [](std::string text) {
    const std::string message = "IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 PROTO=UDP SPT=1 DPT=" + text;
    const auto line = parse_netfilter(message);
    return line->has_ports ? int{line->destination_port} : -1;
  };
  EXPECT_EQ(port("0 LEN=8"), 0);
  EXPECT_EQ(port("65535 LEN=8"), 65535);
  for (const char* text : {"65536 ", "99999 ", "-1 ", "+1 ", " ", "", "80", "80x ", "0x50 ", "4294967376 ",
                           "18446744073709551696 ", "00000000080 ", "８０ "})
    EXPECT_EQ(port(text), -1) << text;
}

TEST(NetfilterLine, ThePrefixMayHoldAnything) {
  for (const std::string prefix : {"", "IN= ", "IN=eth9 ", "LOGIN=x ", "SRC=192.0.2.99 ", "OUT=", "IN=1 IN=2 ",
                                   "=======", "[SRC=", "nft-drop", "*IN*", "PROTO=UDP DPT=1 "}) {
    const std::string message = prefix + std::string(syn.substr(syn.find("IN=eth0")));
    const auto line = parse_netfilter(message);
    ASSERT_TRUE(line) << prefix;
    EXPECT_EQ(line->prefix, prefix);
    EXPECT_EQ(line->in, "eth0");
    EXPECT_EQ(line->source, "203.0.113.9");
    EXPECT_EQ(line->destination_port, 8000);
  }
}

TEST(NetfilterLine, IsNothingElse) {
  for (const char* text : {"", "IN", "IN=", "IN=eth0", "IN=eth0 ", "IN=eth0 OUT",
                           "in=eth0 out=", "OUT=eth0 IN=", "usb 1-1: new high-speed USB device", "IN=eth0  OUT=eth1"})
    EXPECT_FALSE(parse_netfilter(text)) << text;
  const auto bare = parse_netfilter("IN= OUT=");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->in.empty() && bare->out.empty() && bare->source.empty());
}

TEST(NetfilterLine, AQuotedPacketIsNotTheOuterOne) {
  const auto line = parse_netfilter(
      "IN=eth0 OUT= SRC=203.0.113.9 DST=198.51.100.6 LEN=56 PROTO=ICMP TYPE=3 CODE=3 [SRC=198.51.100.6 DST=192.0.2.7 "
      "LEN=28 PROTO=UDP SPT=53 DPT=4000 LEN=8 ] ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->source, "203.0.113.9");
  EXPECT_EQ(line->destination, "198.51.100.6");
  EXPECT_EQ(line->protocol, Protocol::icmp);
  EXPECT_EQ(line->icmp_type, 3);
  EXPECT_FALSE(line->has_ports);
}

TEST(SaysPortIsClosed, OnlyForDefaultPolicies) {
  for (const char* prefix : {"Firewall: *TCP_IN Blocked* ", "Firewall: *UDP6IN Blocked* ", "[UFW BLOCK] "})
    EXPECT_TRUE(says_port_is_closed(prefix)) << prefix;
  for (const char* prefix :
       {"", "Firewall: *SYNFLOOD Blocked* ", "Firewall: *Port Flood* ", "Firewall: *ConnLimit* ",
        "Firewall: *BLOCK_LIST* ", "Firewall: *CC_DENY* ", "Firewall: *INVALID* ", "[UFW LIMIT BLOCK] ", "nft-drop "})
    EXPECT_FALSE(says_port_is_closed(prefix)) << prefix;
}

TEST(KernelAddress, ReadsWhatAddressParseReads) {
  for (const char* text :
       {"203.0.113.9", "0.0.0.0", "255.255.255.255", "2001:0db8:0000:0000:0000:0000:0000:0015",
        "2001:0DB8:0000:0000:0000:0000:0000:00aF", "0000:0000:0000:0000:0000:ffff:cb00:7109", "2001:db8::15"}) {
    ASSERT_TRUE(read_address(text)) << text;
    EXPECT_EQ(*read_address(text), make::address(text)) << text;
  }
  for (const char* text : {"", "1.XXX.XXX.XXX", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1..2.3", ".1.2.3",
                           "1.2.3.", "1111.1.1.1", "2001:0db8:0000:0000:0000:0000:0000:001g",
                           "2001-0db8:0000:0000:0000:0000:0000:0015", "XXXX:XXXX:XXXX:XXXX:XXXX:XXXX:XXXX:XXXX"})
    EXPECT_FALSE(read_address(text)) << text;
}

TEST(ByteFinder, FindsWhatFindFinds) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 70, ' ');
    for (char& c : text) c = "=\0ab"[random() % 4];
    const char wanted = "=\0b"[random() % 3];
    ByteFinder finder(text, wanted);
    for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
      const char* found = finder.next();
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(found - text.data(), static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(finder.next(), nullptr);
  }
}

}  // namespace
}  // namespace palang
