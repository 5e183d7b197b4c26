#include "engine/coverage.hpp"

#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

TEST(ShapeOf, ReplacesWhatDiffersBetweenOccurrences) {
  EXPECT_EQ(shape_of("Connection from 203.0.113.9 port 64490"), "Connection from ADDR port N");
  EXPECT_EQ(shape_of("Connection from 2001:db8::7 port 5"), "Connection from ADDR port N");
  EXPECT_EQ(shape_of("peer [203.0.113.9]:443: closed."), "peer [ADDR]:N: closed.");
  EXPECT_EQ(shape_of("session 4f3a99b2c1 of user12 ended"), "session HEX of userN ended");
  EXPECT_EQ(shape_of("GET \"/a/b?c=1\" 404"), "GET \"…\" N");
  EXPECT_EQ(shape_of("at 12:30:41"), "at N:N:N");
  EXPECT_EQ(shape_of("a lone \" quote"), "a lone \" quote");
  EXPECT_EQ(shape_of(""), "");
  EXPECT_LE(shape_of(std::string(100'000, 'x')).size(), 100'000U);
}

TEST(Coverage, GroupsLinesThatNoRuleUnderstandsMostFrequentFirst) {
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i)
    texts.push_back("Jan 12 00:30:41 web1 cron[" + std::to_string(i) + "]: job " + std::to_string(i * 7) + " done");
  texts.emplace_back("Jan 12 00:30:41 web1 dbus: hello");
  texts.emplace_back(
      "Jan 12 00:30:41 web1 kernel: refused: IN=eth0 OUT= SRC=203.0.113.9 DST=198.51.100.6 LEN=40 PROTO=TCP SPT=64490 "
      "DPT=22 WINDOW=1 RES=0x00 SYN URGP=0");
  texts.emplace_back("no header at all 17");
  Source::Batch batch;
  for (const std::string& text : texts) batch.lines.push_back({text, Framing::syslog, make::noon});
  Coverage coverage({}, make::noon);
  coverage.observe(batch);
  EXPECT_EQ(coverage.lines(), 6U);
  EXPECT_EQ(coverage.understood(), 1U);
  const auto shapes = coverage.shapes();
  ASSERT_EQ(shapes.size(), 3U);
  EXPECT_EQ(shapes[0].program, "cron");
  EXPECT_EQ(shapes[0].shape, "job N done");
  EXPECT_EQ(shapes[0].lines, 3U);
  EXPECT_EQ(shapes[0].example, texts[0]);
  EXPECT_EQ(shapes[2].shape, "no header at all N");
}

}  // namespace
}  // namespace palang
