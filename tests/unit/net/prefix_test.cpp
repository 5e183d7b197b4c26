#include "net/prefix.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::prefix;

TEST(Prefix, ReadsAndWrites) {
  const std::pair<const char*, const char*> table[] = {
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1/32", "192.0.2.1"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"2001:db8::/64", "2001:db8::/64"},
      {"2001:DB8:0::/48", "2001:db8::/48"},
      {"2001:db8::1/128", "2001:db8::1"},
      {"::/0", "::/0"},
      {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:0.0.0.0/96", "0.0.0.0/0"},
  };
  for (const auto& [text, canonical] : table) {
    const auto parsed = Prefix::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), canonical);
    EXPECT_EQ(prefix(parsed->text()), *parsed);
  }
}

TEST(Prefix, HostBitsAreAnErrorThatNamesTheNetwork) {
  for (const auto& [text, network] :
       {std::pair{"192.0.2.1/24", "192.0.2.0/24"}, {"2001:db8::1/64", "2001:db8::/64"}, {"1.2.3.4/0", "0.0.0.0/0"}}) {
    const auto parsed = Prefix::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().text.find(std::string("the network is ") + network), std::string::npos)
        << parsed.error().text;
  }
}

TEST(Prefix, RefusesJunk) {
  for (const char* text : {"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/-1",
                           "192.0.2.0/+8", "192.0.2.0/24 ", "192.0.2.0/2x", "192.0.2.0/24/24", "192.0.2.0/0000024",
                           "192.0.2.0/4294967320", "192.0.2/24", "192.0.2.0/255.255.255.0", "::ffff:192.0.2.0/24"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, ContainsByBits) {
  EXPECT_TRUE(prefix("192.0.2.0/24").contains(address("192.0.2.255")));
  EXPECT_FALSE(prefix("192.0.2.0/24").contains(address("192.0.3.0")));
  EXPECT_TRUE(prefix("192.0.2.0/24").contains(prefix("192.0.2.128/25")));
  EXPECT_FALSE(prefix("192.0.2.128/25").contains(prefix("192.0.2.0/24")));
  EXPECT_TRUE(prefix("192.0.2.128/25").overlaps(prefix("192.0.2.0/24")));
  EXPECT_FALSE(prefix("192.0.2.128/25").overlaps(prefix("192.0.2.0/25")));
  EXPECT_TRUE(prefix("2001:db8::/56").contains(address("2001:db8:0:ff::1")));
  EXPECT_FALSE(prefix("2001:db8::/56").contains(address("2001:db8:0:100::1")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("2001:db8::1")));
}

TEST(Prefix, AroundClearsHostBitsAtEveryLength) {
  const Address v6 = address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  for (uint8_t bits = 0; bits <= 128; ++bits) {
    const Prefix around = Prefix::around(v6, bits);
    EXPECT_EQ(around.bits(), bits);
    EXPECT_TRUE(around.contains(v6));
    EXPECT_EQ(prefix(around.is_single() ? around.text() + "/128" : around.text()), around);
    EXPECT_TRUE(around.contains(Prefix::around(v6, static_cast<uint8_t>(std::min(bits + 1, 128)))));
  }
  for (unsigned length = 0; length <= 32; ++length)
    EXPECT_EQ(Prefix::of_length(address("255.255.255.255"), length).length(), length);
}

}  // namespace
}  // namespace palang
