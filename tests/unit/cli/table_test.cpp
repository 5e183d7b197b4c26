#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

Table sample() {
  Table table({{"PREFIX"}, {"REASON", Align::left, true}, {"HITS", Align::right}});
  table.add({"198.51.100.9", "refused at tcp/8083", "12"});
  table.add({"2001:db8::/64", "Büro: tried 12 ports, last tcp/22", "1,234,567"});
  return table;
}

TEST(Table, ColumnsAreAligned) {
  EXPECT_EQ(sample().text(0, Style(false)),
            "PREFIX         REASON                                  HITS\n"
            "198.51.100.9   refused at tcp/8083                       12\n"
            "2001:db8::/64  Büro: tried 12 ports, last tcp/22  1,234,567\n");
}

TEST(Table, LongCellsAreCutToTheTerminal) {
  EXPECT_EQ(sample().text(45, Style(false)),
            "PREFIX         REASON                    HITS\n"
            "198.51.100.9   refused at tcp/8083         12\n"
            "2001:db8::/64  Büro: tried 12 por…  1,234,567\n");
}

TEST(Table, ShrinkingHasAnEnd) {
  EXPECT_EQ(sample().text(10, Style(false)),
            "PREFIX         REASON             HITS\n"
            "198.51.100.9   refused at …         12\n"
            "2001:db8::/64  Büro: tried…  1,234,567\n");
}

TEST(Table, ColourOnlyWhereAskedFor) {
  EXPECT_EQ(sample().text(0, Style(true)).substr(0, 10), "\x1b[1mPREFIX");
  EXPECT_EQ(sample().text(0, Style(false)).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace palang
