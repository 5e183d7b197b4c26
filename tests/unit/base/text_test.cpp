#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/log.hpp"

namespace palang {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TEST(EscapeControls, LeavesWhatIsHarmless) {
  EXPECT_EQ(escape_controls("SRC=192.0.2.1 ~!"), "SRC=192.0.2.1 ~!");
}

TEST(Promise8, WhatStrangersWroteCantSteerATerminal) {
  EXPECT_EQ(escape_controls("a\x1b[2Jb\n\r\t"), "a\\x1b[2Jb\\x0a\\x0d\\x09");
  EXPECT_EQ(escape_controls(std::string_view("\0\x7f\xc3\xa9", 4)), "\\x00\\x7f\\xc3\\xa9");
}

TEST(Promise8, ALogLineStaysOneLine) {
  testing::internal::CaptureStderr();
  log_error("took\n<0>forged: line");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, EndsWith("took\\x0a<0>forged: line\n"));
  EXPECT_EQ(std::ranges::count(written, '\n'), 1);
}

TEST(Log, KeepsQuietBelowItsLevel) {
  testing::internal::CaptureStderr();
  set_log_level(LogLevel::warning);
  log_info("chatter");
  log_warning("trouble");
  set_log_level(LogLevel::info);
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, HasSubstr("trouble"));
  EXPECT_THAT(written, Not(HasSubstr("chatter")));
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  constexpr std::array<std::string_view, 3> keys{"at_most", "quiet", "remember"};
  EXPECT_EQ(nearest("quite", keys), "");  // two of five letters differ
  EXPECT_EQ(nearest("quiett", keys), "quiet");
  EXPECT_EQ(nearest("atmost", keys), "at_most");
  EXPECT_EQ(nearest("colour", keys), "");
}

TEST(Error, ReadsAsASentence) {
  const Failure failure = fail_os("open", "/var/log/kern.log", EACCES);
  EXPECT_EQ(failure.error().text, "open /var/log/kern.log: permission denied (EACCES)");
  EXPECT_EQ(failure.error().os, EACCES);
  EXPECT_EQ(fail_os("poll", "", EINTR).error().text, "poll: interrupted system call (EINTR)");
  EXPECT_EQ(describe_errno(99999), "error 99999");
}

}  // namespace
}  // namespace palang
