#include "engine/jail_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using testing::IsEmpty;
using testing::SizeIs;

f2b::Jail jail(std::string name) {
  f2b::Jail jail;
  jail.name = std::move(name);
  jail.filter.name = jail.name;
  jail.definition.name = jail.name;
  jail.definition.failregex = {"login failed for <F-USER>\\S+</F-USER> from <HOST>$"};
  jail.logs.push_back({"/var/log/app/*.log", false, 0});
  return jail;
}

JailSet compiled(std::vector<f2b::Jail> jails) {
  f2b::Jails all;
  all.enabled = std::move(jails);
  std::vector<std::string> faults;
  JailSet set = JailSet::compile(all, faults);
  EXPECT_THAT(faults, IsEmpty());
  return set;
}

RawLine line_from(const LineOrigin& origin, std::string_view text) {
  return {text, origin.file.empty() ? Framing::message : Framing::syslog, noon, &origin};
}

constexpr std::string_view failed = "2025-01-12 11:59:00 app: login failed for anna from 203.0.113.9";

TEST(JailSet, OffersTheLinesOfItsFilesToAJail) {
  JailSet set = compiled({jail("app")});
  LineOrigin own;
  own.file = "/var/log/app/x.log";
  LineOrigin other;
  other.file = "/var/log/other.log";
  std::vector<Event> events;
  EXPECT_FALSE(set.match(line_from(other, failed), events));
  EXPECT_THAT(events, IsEmpty());
  EXPECT_TRUE(set.match(line_from(own, failed), events));
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].source, make::address("203.0.113.9"));
  EXPECT_EQ(events[0].user, "anna");
  EXPECT_EQ(rule_name(events[0].rule), "jail:app");
  EXPECT_EQ(events[0].proof, Proof::application);
  EXPECT_EQ(events[0].bits, 128);
  EXPECT_THAT(set.files(), testing::ElementsAre("/var/log/app/*.log"));
}

TEST(JailSet, WhatAJailIgnoresIsNoEvent) {
  f2b::Jail ignoring = jail("app");
  ignoring.ignored = {make::prefix("203.0.113.0/24")};
  JailSet set = compiled({ignoring, jail("strict")});
  LineOrigin own;
  own.file = "/var/log/app/x.log";
  std::vector<Event> events;
  EXPECT_TRUE(set.match(line_from(own, failed), events));
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(rule_name(events[0].rule), "jail:strict");
}

TEST(JailSet, JournalMatchIsAskedBeforeTheText) {
  f2b::Jail sshd = jail("sshd");
  sshd.journal = true;
  sshd.definition.journalmatch = {"_SYSTEMD_UNIT=ssh.service _SYSTEMD_UNIT=sshd.service _UID=0 + _COMM=sshd"};
  JailSet set = compiled({sshd});
  EXPECT_TRUE(set.reads_journal());
  LineOrigin origin;
  EXPECT_FALSE(set.wants(origin));
  origin.unit = "sshd.service";
  EXPECT_FALSE(set.wants(origin)) << "both fields must fit";
  origin.uid = 0;
  EXPECT_TRUE(set.wants(origin));
  origin.unit = "cron.service";
  EXPECT_FALSE(set.wants(origin));
  origin.comm = "sshd";
  EXPECT_TRUE(set.wants(origin)) << "the other way";
  std::vector<Event> events;
  EXPECT_TRUE(set.match(line_from(origin, "login failed for anna from 203.0.113.9"), events));
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].at, noon);
}

TEST(JailSet, AJailThatCannotBeCarriedOverStopsNoOther) {
  f2b::Jail broken = jail("broken");
  broken.definition.failregex = {"^(<HOST>$"};
  f2b::Jail missing = jail("missing");
  missing.problem = "its filter is missing";
  f2b::Jails all;
  all.enabled = {broken, missing, jail("app")};
  std::vector<std::string> faults;
  EXPECT_EQ(JailSet::compile(all, faults).size(), 1U);
  EXPECT_THAT(faults, SizeIs(2));
}

TEST(JailSet, ExplainsWhatEachJailMadeOfALine) {
  f2b::Jail ignoring = jail("ignoring");
  ignoring.ignored = {make::prefix("203.0.113.0/24")};
  f2b::Jail elsewhere = jail("elsewhere");
  elsewhere.logs = {{"/var/log/other.log", false, 0}};
  f2b::Jail other = jail("other");
  other.definition.failregex = {"refused <HOST>$"};
  JailSet set = compiled({jail("app"), ignoring, elsewhere, other});
  LineOrigin own;
  own.file = "/var/log/app/x.log";
  std::vector<Event> events;
  const auto trials = set.explain(line_from(own, failed), false, events);
  ASSERT_THAT(trials, SizeIs(3)) << "not those of other files";
  EXPECT_TRUE(trials[0].matched);
  EXPECT_EQ(trials[0].pattern, "login failed for <F-USER>\\S+</F-USER> from <HOST>$") << "as the filter has it";
  EXPECT_EQ(trials[0].source, make::prefix("203.0.113.9"));
  EXPECT_EQ(trials[0].user, "anna");
  EXPECT_TRUE(trials[1].ignored);
  EXPECT_FALSE(trials[2].matched);
  ASSERT_THAT(events, SizeIs(1)) << "what is ignored is none";
  events.clear();
  EXPECT_THAT(set.explain(line_from(own, failed), true, events), SizeIs(4)) << "wherever it comes from";
}

TEST(JailSet, SessionsThatGiveWayAreCounted) {
  f2b::Jail sessions = jail("sessions");
  sessions.definition.prefregex = "^<F-MLFID>\\s*app\\[\\d+\\]</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$";
  sessions.definition.failregex = {"^<F-NOFAIL>connection from</F-NOFAIL> <HOST>$"};
  JailSet set = compiled({sessions});
  LineOrigin own;
  own.file = "/var/log/app/x.log";
  std::vector<Event> events;
  constexpr int most = 16'384;
  for (int i = 0; i < most + 100; ++i) {
    const std::string line = "2025-01-12 11:59:00 app[" + std::to_string(i) + "]: connection from 203.0.113.9";
    (void)set.match(line_from(own, line), events);
  }
  EXPECT_EQ(set.sessions_evicted(), 100U);
}

TEST(JailSettings, AreTheJails) {
  f2b::Jail one = jail("app");
  one.max_retry = 3;
  one.find_time = 1h;
  one.ban_time = Duration{20min};
  RuleSettings settings = settings_of(one, BanSettings{});
  EXPECT_EQ(settings.name, "jail:app");
  EXPECT_EQ(settings.after, 3U);
  EXPECT_EQ(settings.within, Duration{1h});
  EXPECT_EQ(settings.ban.first, Duration{20min});
  EXPECT_EQ(settings.ban.at_most, Duration{20min}) << "each ban is as long as the first";
  EXPECT_EQ(settings.count, RuleSettings::Count::attempts);
  one.increment.enabled = true;
  EXPECT_EQ(settings_of(one, BanSettings{}).ban.at_most, one_day * 28) << "longer each time";
  one.ban_time.reset();
  EXPECT_EQ(settings_of(one, BanSettings{}).ban.first, one_day * 28) << "for ever is the longest there is";
  one.protocol = "udp";
  EXPECT_EQ(settings_of(one, BanSettings{}).proof, Proof::forgeable);
  EXPECT_EQ(settings_of(jail("recidive"), BanSettings{}).count, RuleSettings::Count::bans);
}

}  // namespace
}  // namespace palang
