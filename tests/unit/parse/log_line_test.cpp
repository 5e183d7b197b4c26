#include "parse/log_line.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using make::utc;

const WallTime booted = utc("2025-01-12T00:00:00Z");

class LogLineTest : public testing::Test {
 protected:
  LogLineTest() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  std::optional<LogLine> read(std::string_view text) { return reader_.read({text, Framing::syslog, noon}); }

  void expect_kernel(std::string_view text, std::string_view message, WallTime at) {
    const auto line = read(text);
    ASSERT_TRUE(line) << text;
    EXPECT_TRUE(line->from_kernel) << text;
    EXPECT_EQ(line->program, "kernel") << text;
    EXPECT_EQ(line->message, message) << text;
    EXPECT_EQ(line->at, at) << text;
  }
  void expect_user(std::string_view text, std::string_view program) {
    const auto line = read(text);
    ASSERT_TRUE(line) << text;
    EXPECT_FALSE(line->from_kernel) << text;
    EXPECT_EQ(line->program, program) << text;
  }

 private:
  LogLineReader reader_{booted};
};

TEST_F(LogLineTest, ReadsEveryHeaderOfTheKernel) {
  expect_kernel("2025-01-12T00:30:41.931343+07:00 web1 kernel: Firewall: x", "Firewall: x",
                utc("2025-01-11T17:30:41Z") + 931'343us);
  expect_kernel("Jan 12 00:49:59 web1 kernel: Firewall: x", "Firewall: x", utc("2025-01-12T00:49:59Z"));
  expect_kernel("<4>Jan 12 00:49:59 web1 kernel: Firewall: x", "Firewall: x", utc("2025-01-12T00:49:59Z"));
  expect_kernel("<4>1 2025-01-12T00:30:41Z web1 kernel - - - Firewall: x", "Firewall: x", utc("2025-01-12T00:30:41Z"));
  expect_kernel("1 2025-01-12T00:30:41Z web1 kernel - - - Firewall: x", "Firewall: x", utc("2025-01-12T00:30:41Z"));
  expect_kernel("4,1234,5678901,-;Firewall: x", "Firewall: x", booted + 5'678'901us);
  expect_kernel("4,1234,5678901,-,caller=T1;Firewall: x", "Firewall: x", booted + 5'678'901us);
  expect_kernel("[ 5678.901234] Firewall: x", "Firewall: x", booted + Duration{5'678'901'234});
  expect_kernel("[5678.901234] Firewall: x", "Firewall: x", booted + Duration{5'678'901'234});
}

TEST_F(LogLineTest, SkipsTheBootStampThatRsyslogLeaves) {
  const WallTime at = utc("2025-01-12T00:30:41Z");
  expect_kernel("2025-01-12T00:30:41Z web1 kernel: [ 5678.901234] Firewall: x", "Firewall: x", at);
  expect_kernel("2025-01-12T00:30:41Z web1 kernel: [123.456] Firewall: x", "[123.456] Firewall: x", at);
  expect_kernel("2025-01-12T00:30:41Z web1 kernel: [UFW BLOCK] IN=", "[UFW BLOCK] IN=", at);
  expect_kernel("2025-01-12T00:30:41Z web1 kernel: [5.-12345] x", "[5.-12345] x", at);
}

TEST_F(LogLineTest, SkipsStructuredData) {
  const WallTime at = utc("2025-01-12T00:30:41Z");
  expect_kernel("<4>1 2025-01-12T00:30:41Z web1 kernel - - [a@1 k=\"v\"] text", "text", at);
  expect_kernel("<4>1 2025-01-12T00:30:41Z web1 kernel - - [a@1 k=\"v\"][b@2 l=\"m n\"] text", "text", at);
  expect_kernel(R"(<4>1 2025-01-12T00:30:41Z web1 kernel - - [a@1 k="x\] \" y"] text)", "text", at);
  expect_kernel("<4>1 2025-01-12T00:30:41Z web1 kernel - - [a@1 k=\"v\"]", "", at);
  expect_kernel("<4>1 2025-01-12T00:30:41Z web1 kernel - - - \xef\xbb\xbftext", "text", at);
}

TEST_F(LogLineTest, TakesKernelFramingAsItIs) {
  LogLineReader reader(booted);
  const auto line = reader.read({"Jan 12 00:49:59 web1 sshd: x", Framing::kernel, noon});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->from_kernel);
  EXPECT_EQ(line->message, "Jan 12 00:49:59 web1 sshd: x");
  EXPECT_EQ(line->at, noon);
}

TEST_F(LogLineTest, Promise8UserProcessesDontSpeakForTheKernel) {
  expect_user("2025-01-12T00:30:41Z web1 sshd[812]: Invalid user kernel: IN=eth0 OUT= SRC=192.0.2.1", "sshd");
  expect_user("Jan 12 00:49:59 web1 nginx: kernel: IN=eth0 OUT= SRC=192.0.2.1", "nginx");
  expect_user("Jan 12 00:49:59 kernel: web1: IN=eth0 OUT=", "web1");  // a host named so
  expect_user("Jan 12 00:49:59 web1 kernel[1]: IN=eth0 OUT=", "kernel");
  expect_user("Jan 12 00:49:59 web1 kernel:x: IN=eth0 OUT=", "kernel");
  expect_user("<14>1 2025-01-12T00:30:41Z web1 app - kernel: - kernel: IN=eth0 OUT=", "app");
  expect_user(R"(<14>1 2025-01-12T00:30:41Z web1 app - - [x@1 k="] kernel: IN="] y)", "app");
  expect_user("12,1234,5678901,-;IN=eth0 OUT= SRC=192.0.2.1", "");  // facility user in /dev/kmsg
}

TEST_F(LogLineTest, KnowsWhatHasNoHeader) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "kernel: Firewall: x",
                           "2025-01-12T00:30:41Z",
                           "2025-01-12T00:30:41Z ",
                           "2025-01-12T00:30:41Z web1 kernel Firewall: x",
                           "2025-01-12T00:30:41 web1 kernel: x",
                           "Jan 12 00:49:59",
                           "Jan 12 00:49:59 web1 last message repeated 2 times",
                           "[5678] x",
                           "[5678.9] x",
                           "[ x",
                           "[",
                           "<4>",
                           "4,1234;x",
                           "4,1234,-5,-;x",
                           "-4,1,5,-;x",
                           "4,1,99999999999999999999,-;x",
                           "1 - web1 kernel - - - x"})
    EXPECT_FALSE(read(text)) << text;
}

TEST_F(LogLineTest, DatedLinesBoundTheYearlessOnesBesideThem) {
  LogLineReader reader(booted);
  const WallTime much_later = utc("2027-06-01T00:00:00Z");
  ASSERT_TRUE(reader.read({"2025-01-12T00:30:41Z web1 kernel: x", Framing::syslog, much_later}));
  const auto line = reader.read({"Jan 12 00:30:42 web1 kernel: y", Framing::syslog, much_later});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->at, utc("2025-01-12T00:30:42Z"));
}

}  // namespace
}  // namespace palang
