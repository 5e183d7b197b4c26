#include "enforce/set_name.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

TEST(SetName, ReadsWhatItWrites) {
  for (const char* const text : {"allow4_32", "full4_24", "quiet6_64", "full6_128", "quiet4_0", "open_tcp", "open_udp",
                                 "quiet4_24_1", "open_tcp_3"}) {
    const auto name = SetName::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->text(), text);
  }
}

TEST(SetName, KnowsOnlyItsOwnSpelling) {
  for (const char* const text : {"", "full", "full4", "full4_", "full4_33", "full6_129", "full5_24", "full4_024",
                                 "full4_24_0", "full4_24_x", "full4_24x", "open_tcp4_24", "blocklist"})
    EXPECT_FALSE(SetName::parse(text)) << text;
}

TEST(SetName, ElementsKeepTheirPrefix) {
  for (const char* const text :
       {"192.0.2.0/24", "192.0.2.7", "0.0.0.0/0", "2001:db8:1:2::/64", "2001:db8::1", "::/0"}) {
    const Prefix prefix = *Prefix::parse(text);
    EXPECT_EQ(Element::of(prefix, {}).prefix(SetName::of(Role::full, prefix)).text(), prefix.text());
  }
  EXPECT_EQ(SetName::of(Role::quiet, *Prefix::parse("192.0.2.0/24")).text(), "quiet4_24");
}

}  // namespace
}  // namespace palang
