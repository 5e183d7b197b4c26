#include "net/address.hpp"

#include <gtest/gtest.h>

#include "net/ports.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;

TEST(Address, ReadsAndWritesBothFamilies) {
  const std::pair<const char*, const char*> table[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"::", "::"},
      {"::1", "::1"},
      {"fe80::1", "fe80::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::FFFF:c000:0201", "192.0.2.1"},
      {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
  };
  for (const auto& [text, canonical] : table) {
    const auto parsed = Address::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), canonical);
    EXPECT_EQ(Address::from_bytes(parsed->bytes()), *parsed);
    EXPECT_EQ(address(parsed->text()), *parsed);
  }
}

TEST(Address, RefusesJunk) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text : {""sv,
                                      "1.2.3"sv,
                                      "1.2.3.4.5"sv,
                                      "256.1.1.1"sv,
                                      "1.2.3.04"sv,
                                      "01.2.3.4"sv,
                                      "1.XXX.XXX.XXX"sv,
                                      " 1.2.3.4"sv,
                                      "1.2.3.4 "sv,
                                      "1.2.3.4:80"sv,
                                      "[::1]"sv,
                                      "fe80::1%eth0"sv,
                                      ":::"sv,
                                      "1::2::3"sv,
                                      "12345::"sv,
                                      "1:2:3:4:5:6:7:8:9"sv,
                                      "localhost"sv,
                                      "0x7f.1"sv,
                                      "1.2.3.4\0evil"sv,
                                      "1.2.3.4\n"sv,
                                      "١.٢.٣.٤"sv,
                                      "0000000000000000000000000000000000000000000000000000000000001.2.3.4"sv}) {
    const auto parsed = Address::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    EXPECT_LT(parsed.error().text.size(), 120U) << "a sentence, however long the junk";
  }
}

TEST(Address, MappedIsV4) {
  EXPECT_TRUE(address("::ffff:192.0.2.1").is_v4());
  EXPECT_EQ(address("::ffff:192.0.2.1"), Address::v4(0xc0000201));
  EXPECT_FALSE(address("::192.0.2.1").is_v4());
}

TEST(Address, KnowsWhatCantBeASource) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1",
                           "::", "ff02::1", "::ffff:224.0.0.1"})
    EXPECT_FALSE(address(text).is_unicast()) << text;
  for (const char* text : {"1.1.1.1", "223.255.255.255", "127.0.0.1", "10.0.0.1", "2001:db8::1", "fe80::1", "::1"})
    EXPECT_TRUE(address(text).is_unicast()) << text;
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(address("127.255.0.1").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback());
  EXPECT_FALSE(address("::2").is_loopback());
}

TEST(PortSet, HoldsAnyPorts) {
  PortSet ports;
  for (const uint16_t port : {uint16_t{443}, uint16_t{0}, uint16_t{65535}, uint16_t{80}}) ports.add(port);
  ports.remove(80);
  EXPECT_EQ(ports.list(), (std::vector<uint16_t>{0, 443, 65535}));
  EXPECT_TRUE(ports.contains(443));
  EXPECT_FALSE(ports.contains(80));
}

}  // namespace
}  // namespace palang
