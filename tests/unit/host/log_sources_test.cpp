#include "host/log_sources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temp_root.hpp"

namespace palang {
namespace {

constexpr std::string_view blocked =
    "Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC= SRC=203.0.113.9 DST=198.51.100.6 LEN=40 PROTO=TCP SPT=1 DPT=2\n";

class LogSources : public testing::Test {
 protected:
  TempRoot host_;
  [[nodiscard]] LogSource only() const {
    const FoundLogSources found = find_log_sources(host_.root());
    EXPECT_EQ(found.sources.size(), 1U);
    return found.sources.empty() ? LogSource{} : found.sources[0];
  }
};

TEST_F(LogSources, TheKernelLogComesFirst) {
  host_.write("/dev/kmsg", "6,1,2,-;" + std::string(blocked));
  host_.write("/var/log/journal/0123/system.journal", "");
  host_.write("/var/log/kern.log", blocked);
  const LogSource source = only();
  EXPECT_EQ(source.kind, LogSource::Kind::kmsg);
  EXPECT_EQ(source.path, host_.path("/dev/kmsg"));
  EXPECT_EQ(source.why, "kernel log " + host_.path("/dev/kmsg") + ": readable, has netfilter lines");
}

TEST_F(LogSources, AQuietKernelLogIsOneToo) {
  host_.write("/dev/kmsg", "6,1,2,-;eth0: SRC= DST= link up\n");
  EXPECT_THAT(only().why, testing::EndsWith("readable, has no netfilter lines yet"));
}

TEST_F(LogSources, ThenTheJournal) {
  host_.write("/var/log/kern.log", blocked);
  host_.write("/run/log/journal/0123/system.journal", "");
  const LogSource source = only();
  EXPECT_EQ(source.kind, LogSource::Kind::journald);
  EXPECT_EQ(source.path, host_.path("/run/log/journal"));
}

TEST_F(LogSources, AJournalDirectoryWithoutFilesIsNoJournal) {
  host_.write("/var/log/journal/README", "");
  host_.write("/var/log/journal/0123/notes.txt", "");
  host_.write("/var/log/syslog", blocked);
  const LogSource source = only();
  EXPECT_EQ(source.kind, LogSource::Kind::file);
  EXPECT_EQ(source.path, host_.path("/var/log/syslog"));
}

TEST_F(LogSources, ThenTheFirstTextFile) {
  host_.write("/var/log/kern.log", std::string("binary\0", 7));
  host_.write("/var/log/messages", blocked);
  host_.write("/var/log/syslog", blocked);
  const FoundLogSources found = find_log_sources(host_.root());
  ASSERT_EQ(found.sources.size(), 1U);
  EXPECT_EQ(found.sources[0].path, host_.path("/var/log/messages"));
  EXPECT_EQ(found.sources[0].why, "log file " + host_.path("/var/log/messages") + ": readable, has netfilter lines");
  EXPECT_THAT(
      found.passed_over,
      testing::ElementsAre("kernel log: open " + host_.path("/dev/kmsg") + ": no such file or directory (ENOENT)",
                           "journal: no journal files below /var/log/journal and /run/log/journal",
                           "log file: read " + host_.path("/var/log/kern.log") + ": not a text file"));
}

TEST_F(LogSources, ABareHostHasNoneAndSaysWhy) {
  const FoundLogSources found = find_log_sources(host_.root());
  EXPECT_TRUE(found.sources.empty());
  EXPECT_EQ(found.passed_over.size(), 6U);
}

TEST_F(LogSources, ServicesAreReadFromTheJournal) {
  host_.write("/var/log/journal/0123/system.journal", "");
  host_.write("/var/log/auth.log", "Jan 12 00:30:41 web1 sshd[1]: x\n");
  const FoundLogSources found = find_service_sources(host_.root());
  ASSERT_EQ(found.sources.size(), 1U) << "syslog's files hold the same lines";
  EXPECT_EQ(found.sources[0].kind, LogSource::Kind::journald);
}

TEST_F(LogSources, OrFromTheFilesOfSyslogButNoLineTwice) {
  const std::string mail = "Jan 12 00:30:41 web1 postfix/smtpd[7]: connect\n";
  host_.write("/var/log/syslog", "cut off\n" + mail + "Jan 12 00:30:42 web1 cron[8]: y\n");
  host_.write("/var/log/mail.log", "Jan 12 00:30:40 web1 postfix/smtpd[7]: before\n" + mail);
  host_.write("/var/log/auth.log", "Jan 12 00:30:40 web1 sshd[1]: a\nJan 12 00:30:41 web1 sshd[1]: b\n");
  const FoundLogSources found = find_service_sources(host_.root());
  ASSERT_EQ(found.sources.size(), 2U);
  EXPECT_EQ(found.sources[0].path, host_.path("/var/log/syslog"));
  EXPECT_EQ(found.sources[1].path, host_.path("/var/log/auth.log"));
  EXPECT_THAT(found.passed_over, testing::ElementsAre("log file " + host_.path("/var/log/mail.log") +
                                                      ": its lines are in " + host_.path("/var/log/syslog") + ", too"));
}

}  // namespace
}  // namespace palang
