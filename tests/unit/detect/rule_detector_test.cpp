#include "detect/rule_detector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using testing::IsEmpty;
using testing::SizeIs;

using Count = RuleSettings::Count;

RuleSettings rule(std::string name, uint32_t after, Duration within) {
  RuleSettings settings;
  settings.name = std::move(name);
  settings.after = after;
  settings.within = within;
  return settings;
}

PolicySettings policy_of(std::vector<RuleSettings> rules) {
  PolicySettings policy;
  policy.rules = std::move(rules);
  return policy;
}

Event login(std::string_view source, WallTime at, std::string_view user = {}) {
  Event event;
  event.at = at;
  event.source = make::address(source);
  event.rule = rule_named("test-login");
  event.proof = Proof::application;
  event.user = user;
  return event;
}

std::vector<Finding> observe(RuleDetector& detector, const Event& event) {
  std::vector<Finding> findings;
  detector.observe(event, findings);
  return findings;
}

TEST(RuleDetector, FindsAtTheThresholdWithinAnExactWindowAndStartsAnew) {
  RuleDetector detector(policy_of({rule("test-login", 3, 10min)}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.2", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 5min)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 10min)), IsEmpty()) << "the first is ten minutes old";
  const auto found = observe(detector, login("192.0.2.1", noon + 15min - 1us));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].offender, make::address("192.0.2.1"));
  EXPECT_EQ(found[0].rule, rule_named("test-login"));
  EXPECT_EQ(found[0].count, 3U);
  EXPECT_EQ(found[0].proof, Proof::application);
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 15min)), IsEmpty()) << "what was found is used up";
  EXPECT_EQ(detector.tracked(), 2U);
}

TEST(RuleDetector, LinesOutOfOrderCountInTheOrderOfTheirTimes) {
  RuleDetector detector(policy_of({rule("test-login", 3, 10min)}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 9min)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 10min)), IsEmpty()) << "noon is out of the window";
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 8min)), SizeIs(1)) << "8, 9 and 10 minutes past";
}

TEST(RuleDetector, ALineCountsForItsAttempts) {
  RuleDetector detector(policy_of({rule("test-login", 6, 10min)}), HashSeed{});
  Event event = login("192.0.2.1", noon);
  event.attempts = 5;
  EXPECT_THAT(observe(detector, event), IsEmpty());
  event.attempts = 1;
  EXPECT_THAT(observe(detector, event), SizeIs(1));
}

TEST(RuleDetector, CountsDistinctUsersPathsAndPorts) {
  RuleSettings users = rule("test-login", 3, 10min);
  users.count = Count::users;
  RuleDetector detector(policy_of({users}), HashSeed{});
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(observe(detector, login("192.0.2.1", noon, "root")), IsEmpty());
    EXPECT_THAT(observe(detector, login("192.0.2.1", noon, "admin")), IsEmpty());
  }
  const auto found = observe(detector, login("192.0.2.1", noon, "guest"));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].count, 3U);

  users.count = Count::paths;
  RuleDetector paths(policy_of({users}), HashSeed{});
  Event request = login("192.0.2.1", noon);
  for (const std::string_view path : {"/a", "/b", "/a"}) {
    request.target = path;
    EXPECT_THAT(observe(paths, request), IsEmpty());
  }
  request.target = "/c";
  EXPECT_THAT(observe(paths, request), SizeIs(1));

  users.count = Count::ports;
  RuleDetector ports(policy_of({users}), HashSeed{});
  for (const uint16_t port : std::initializer_list<uint16_t>{22, 23, 22, 80}) {
    request.port = port;
    EXPECT_EQ(observe(ports, request).size(), port == 80 ? 1U : 0U);
  }
}

TEST(RuleDetector, ABucketOverflowsWhenMoreComesInThanLeaksOut) {
  RuleSettings flood = rule("test-login", 1, 1s);
  flood.bucket = BucketSettings{10, 100ms};
  RuleDetector detector(policy_of({flood}), HashSeed{});
  for (int i = 0; i < 1000; ++i)
    EXPECT_THAT(observe(detector, login("192.0.2.1", noon + Duration{100ms} * i)), IsEmpty()) << "as fast as it leaks";
  // The bucket holds the one drop of the last moment; nine more fill it.
  const WallTime burst = noon + 100s;
  for (int i = 0; i < 10; ++i) EXPECT_THAT(observe(detector, login("192.0.2.1", burst)), IsEmpty()) << i;
  const auto found = observe(detector, login("192.0.2.1", burst));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].count, 11U);
  EXPECT_THAT(observe(detector, login("192.0.2.1", burst)), IsEmpty()) << "and it is empty again";
}

TEST(RuleDetector, ByPrefixCountsTheNetworkAndBlamesIt) {
  RuleSettings flood = rule("test-login", 3, 1min);
  flood.by = RuleSettings::By::prefix;
  RuleDetector detector(policy_of({flood}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.200", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.3.1", noon)), IsEmpty());
  const auto found = observe(detector, login("192.0.2.77", noon));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Prefix::around(found[0].offender, found[0].bits), make::prefix("192.0.2.0/24"));
  for (const char* source : {"2001:db8::1", "2001:db8::ffff:1"})
    EXPECT_THAT(observe(detector, login(source, noon)), IsEmpty());
  const auto found6 = observe(detector, login("2001:db8::2", noon));
  ASSERT_THAT(found6, SizeIs(1));
  EXPECT_EQ(Prefix::around(found6[0].offender, found6[0].bits), make::prefix("2001:db8::/64"));
}

RuleSettings distributed() {
  RuleSettings settings = rule("test-login", 100, 10min);
  settings.distributed = DistributedSettings{3, 1h};
  return settings;
}

TEST(RuleDetector, ManySourcesOnOneAccountAreAllOffenders) {
  RuleDetector detector(policy_of({distributed()}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon, "root")), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon + 1min, "root")), IsEmpty()) << "the same source";
  EXPECT_THAT(observe(detector, login("198.51.100.7", noon + 2min, "guest")), IsEmpty()) << "another account";
  EXPECT_THAT(observe(detector, login("198.51.100.8", noon + 2min)), IsEmpty()) << "no account";
  EXPECT_THAT(observe(detector, login("198.51.100.1", noon + 30min, "root")), IsEmpty());
  const auto found = observe(detector, login("203.0.113.1", noon + 59min, "root"));
  ASSERT_THAT(found, SizeIs(3));
  for (const Finding& one : found) {
    EXPECT_EQ(rule_name(one.rule), "test-login-distributed");
    EXPECT_EQ(one.count, 3U);
  }
  EXPECT_EQ(found[0].offender, make::address("192.0.2.1"));
  EXPECT_EQ(found[1].offender, make::address("198.51.100.1"));
  EXPECT_EQ(found[2].offender, make::address("203.0.113.1"));
  EXPECT_THAT(observe(detector, login("203.0.113.2", noon + 59min, "root")), IsEmpty()) << "used up";
}

TEST(RuleDetector, DistributedSourcesLeaveTheWindow) {
  RuleDetector detector(policy_of({distributed()}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon, "root")), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.2", noon + 30min, "root")), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.3", noon + 1h, "root")), IsEmpty());
}

TEST(RuleDetector, BansOfOtherRulesCountForRecidiveUnlessForgeable) {
  RuleSettings recidive = rule("test-recidive", 2, one_day);
  recidive.count = Count::bans;
  RuleDetector detector(policy_of({rule("test-login", 1, 1min), recidive}), HashSeed{});
  const auto banned = [&](Proof proof, WallTime at) {
    std::vector<Finding> findings;
    detector.observe_ban({at, make::address("192.0.2.1"), 128, rule_named("test-login"), proof, {}, 0, 1}, findings);
    return findings;
  };
  EXPECT_THAT(banned(Proof::forgeable, noon), IsEmpty());
  EXPECT_THAT(banned(Proof::application, noon), IsEmpty());
  detector.forget(make::address("192.0.2.1"));
  EXPECT_THAT(banned(Proof::forgeable, noon + 1h), IsEmpty());
  const auto found = banned(Proof::application, noon + 2h);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, rule_named("test-recidive"));
  std::vector<Finding> again;
  detector.observe_ban(found[0], again);
  EXPECT_THAT(again, IsEmpty()) << "a recidive's own ban is none of its reasons";
}

TEST(RuleDetector, EventsOfRulesThatAreNotLoadedCountNothing) {
  RuleDetector detector(policy_of({}), HashSeed{});
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  EXPECT_EQ(detector.tracked(), 0U);
}

TEST(RuleDetector, TellsHowFarASourceIs) {
  RuleSettings flood = rule("test-flood", 1, 1s);
  flood.bucket = BucketSettings{10, 100ms};
  RuleDetector detector(policy_of({rule("test-login", 5, 10min), flood}), HashSeed{});
  for (int i = 0; i < 3; ++i) EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  Event request = login("192.0.2.1", noon);
  request.rule = rule_named("test-flood");
  for (int i = 0; i < 6; ++i) EXPECT_THAT(observe(detector, request), IsEmpty());
  const auto now = detector.progress_of(make::address("192.0.2.1"), noon + 200ms);
  ASSERT_THAT(now, SizeIs(2));
  EXPECT_EQ(now[0].count, 3U);
  EXPECT_EQ(now[0].enough, 5U);
  EXPECT_EQ(now[1].count, 4U) << "two have leaked";
  EXPECT_EQ(now[1].enough, 11U);
  EXPECT_THAT(detector.progress_of(make::address("192.0.2.1"), noon + 10min), IsEmpty());
  EXPECT_THAT(detector.progress_of(make::address("192.0.2.2"), noon), IsEmpty());
}

TEST(Promise4, RuleCountsSurviveARestart) {
  RuleSettings users = rule("test-login", 3, 10min);
  users.count = Count::users;
  users.distributed = DistributedSettings{2, 1h};
  RuleSettings brief = rule("test-brief", 3, 10s);
  RuleDetector before(policy_of({users, brief}), HashSeed{1, 2});
  before.keep_pending();
  EXPECT_THAT(observe(before, login("192.0.2.1", noon, "root")), IsEmpty());
  EXPECT_THAT(observe(before, login("192.0.2.1", noon + 1s, "admin")), IsEmpty());
  Event short_lived = login("192.0.2.1", noon);
  short_lived.rule = rule_named("test-brief");
  EXPECT_THAT(observe(before, short_lived), IsEmpty());
  std::vector<Pending> pending;
  before.take_pending(pending);
  EXPECT_THAT(pending, SizeIs(2)) << "users, and the accounts it tried; nothing of the brief rule";
  std::vector<Pending> rest;
  before.take_pending(rest);
  EXPECT_THAT(rest, IsEmpty());

  RuleDetector after(policy_of({users, brief}), HashSeed{3, 4});
  after.restore(pending, noon + 1min);
  EXPECT_THAT(observe(after, login("192.0.2.1", noon + 1min, "root")), IsEmpty()) << "known already";
  const auto both = observe(after, login("192.0.2.9", noon + 1min, "admin"));
  EXPECT_THAT(both, SizeIs(2)) << "its account was tried before the restart";
  EXPECT_THAT(observe(after, login("192.0.2.1", noon + 1min, "guest")), SizeIs(1));

  RuleDetector late(policy_of({users}), HashSeed{});
  late.restore(pending, noon + 2h);
  EXPECT_EQ(late.tracked(), 0U);
}

TEST(Promise4, WhatIsUsedUpDoesNotComeBack) {
  RuleDetector detector(policy_of({rule("test-login", 2, 10min)}), HashSeed{});
  detector.keep_pending();
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), IsEmpty());
  EXPECT_THAT(observe(detector, login("192.0.2.1", noon)), SizeIs(1));
  EXPECT_THAT(observe(detector, login("192.0.2.2", noon)), IsEmpty());
  detector.forget_within(make::prefix("192.0.2.0/24"));
  std::vector<Pending> pending;
  detector.take_pending(pending);
  ASSERT_THAT(pending, SizeIs(2));
  for (const Pending& one : pending) EXPECT_THAT(one.times, IsEmpty()) << one.subject.text();
}

TEST(Promise5, RuleTablesAreCappedAndEvictionsCounted) {
  PolicySettings policy = policy_of({rule("test-login", 1000, 1h)});
  policy.rules[0].distributed = DistributedSettings{1000, 1h};
  policy.detect.tracked_sources = 100;
  RuleDetector detector(policy, HashSeed{});
  for (uint32_t i = 0; i < 1000; ++i) {
    const std::string user = "u" + std::to_string(i);
    Event event = login("192.0.2.1", noon + Duration{1s} * i, user);
    event.source = Address::v4(0xc6120000 + i);
    EXPECT_THAT(observe(detector, event), IsEmpty());
  }
  EXPECT_EQ(detector.tracked(), 200U) << "sources and accounts";
  EXPECT_EQ(detector.evicted(), 1800U);
}

TEST(Promise5, SightingsAreCappedAltogether) {
  PolicySettings policy = policy_of({rule("test-login", 1000, 1h)});
  policy.detect.tracked_sources = 10;
  RuleDetector detector(policy, HashSeed{});
  for (uint32_t i = 0; i < 10'000; ++i) {
    Event event = login("192.0.2.1", noon + Duration{1ms} * i);
    event.source = Address::v4(0xc6120000 + i % 10);
    (void)observe(detector, event);
  }
  EXPECT_GT(detector.evicted(), 0U) << "ten sources with a thousand sightings each are more than sixteen for each";
}

}  // namespace
}  // namespace palang
