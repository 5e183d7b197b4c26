#include "decide/widening.hpp"

#include <gtest/gtest.h>

#include <string>

#include "decide/active_bans.hpp"
#include "decide/exemptions.hpp"
#include "decide/subjects.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using make::address;
using make::noon;
using make::prefix;

class WideningTest : public testing::Test {
 protected:
  std::string falls(std::string_view offender, WallTime at = noon) {
    const Prefix foreseen = widening_.would_be_subject(address(offender), at);
    const Prefix subject = widening_.subject_for(address(offender), at);
    EXPECT_EQ(subject, foreseen);
    return subject.text();
  }
  Widening widening_{WidenSettings{}, HashSeed{}, 1000};
};

TEST_F(WideningTest, TheFourthDistinctOffenderMakesItThe24) {
  EXPECT_EQ(falls("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(falls("192.0.2.2"), "192.0.2.2");
  EXPECT_EQ(falls("192.0.2.3"), "192.0.2.3");
  EXPECT_EQ(falls("198.51.100.4"), "198.51.100.4") << "another network";
  EXPECT_EQ(falls("192.0.2.4"), "192.0.2.0/24");
  EXPECT_EQ(falls("192.0.2.1"), "192.0.2.0/24") << "and so it stays while four fell within the window";
}

TEST_F(WideningTest, TheSameOffenderFourTimesIsOne) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(falls("192.0.2.1", noon + one_day * i), "192.0.2.1");
  EXPECT_EQ(falls("192.0.2.2", noon + one_day * 10), "192.0.2.2");
  EXPECT_EQ(falls("192.0.2.3", noon + one_day * 10), "192.0.2.3");
}

TEST_F(WideningTest, OffendersCountFor28Days) {
  for (const char* offender : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) EXPECT_EQ(falls(offender), offender);
  EXPECT_EQ(falls("192.0.2.4", noon + one_day * 28), "192.0.2.4");
  EXPECT_EQ(falls("192.0.2.5", noon + one_day * 28), "192.0.2.5");
  EXPECT_EQ(falls("192.0.2.1", noon + one_day * 28), "192.0.2.1");
  EXPECT_EQ(falls("192.0.2.2", noon + one_day * 56 - 1s), "192.0.2.0/24");
}

TEST_F(WideningTest, Ipv6GrowsByDistinctChildren) {
  const auto fell = [&](int site, int host) {
    return falls("2001:db8:0:" + std::to_string(site) + "::" + std::to_string(host));
  };
  for (int host = 1; host <= 3; ++host) EXPECT_EQ(Prefix::parse(fell(0, host))->bits(), 128);
  EXPECT_EQ(fell(0, 4), "2001:db8::/64");
  EXPECT_EQ(fell(0, 5), "2001:db8::/64") << "the same /64 again is no other child";
  for (int site = 1; site <= 2; ++site) {
    for (int host = 1; host <= 3; ++host) EXPECT_EQ(Prefix::parse(fell(site, host))->bits(), 128);
    EXPECT_EQ(Prefix::parse(fell(site, 4))->length(), 64U);
  }
  for (int host = 1; host <= 3; ++host) EXPECT_EQ(Prefix::parse(fell(3, host))->bits(), 128);
  EXPECT_EQ(fell(3, 4), "2001:db8::/56") << "the fourth /64 of it";
}

TEST_F(WideningTest, Ipv6StopsAtThe48) {
  Prefix widest = prefix("2001:db8::1");
  for (int site = 0; site < 64; ++site)
    for (int half = 0; half < 4; ++half)
      for (int host = 1; host <= 4; ++host) {
        const std::string text =
            "2001:db8:0:" + std::to_string(site) + "0" + std::to_string(half) + "::" + std::to_string(host);
        widest = widening_.subject_for(address(text), noon);
      }
  EXPECT_EQ(widest.text(), "2001:db8::/48");
}

TEST_F(WideningTest, RemembersThePastAsIfItHadSeenIt) {
  for (const char* offender : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) widening_.remember(prefix(offender), noon);
  widening_.remember(prefix("192.0.2.0/24"), noon);
  EXPECT_EQ(falls("192.0.2.4", noon + one_day), "192.0.2.0/24");
}

TEST(Widening, HasTheTwoExtremes) {
  Widening never(WidenSettings{.after = 0}, HashSeed{}, 1000);
  for (uint32_t host = 0; host < 20; ++host)
    EXPECT_TRUE(never.subject_for(Address::v4(0xc0000200 + host), noon).is_single());
  Widening at_once(WidenSettings{.after = 1}, HashSeed{}, 1000);
  EXPECT_EQ(at_once.subject_for(address("192.0.2.77"), noon), prefix("192.0.2.0/24"));
  EXPECT_EQ(at_once.subject_for(address("2001:db8::1"), noon), prefix("2001:db8::/64"));
}

TEST(Promise5, NetworksAreCappedAndEvictionsCounted) {
  Widening widening(WidenSettings{}, HashSeed{}, 100);
  for (uint32_t network = 0; network < 1000; ++network)
    EXPECT_TRUE(
        widening.subject_for(Address::v4(0xc6120001 + (network << 8)), noon + Duration{1s} * network).is_single());
  EXPECT_EQ(widening.evicted(), 900U);
}

TEST(Offences, AreRememberedFor90DaysAfterTheBan) {
  Subjects subjects(HashSeed{}, one_day * 90, 1000);
  const Prefix one = prefix("192.0.2.1");
  const auto slot = subjects.find_or_insert(one);
  EXPECT_EQ(subjects.add_offence(slot, noon), 0);
  subjects.offence_ends(slot, noon + one_day);
  EXPECT_EQ(subjects.offences(one, noon + one_day * 91 - 1s), 1);
  EXPECT_EQ(subjects.offences(one, noon + one_day * 91), 0);
  EXPECT_EQ(subjects.offences(prefix("192.0.2.0/24"), noon), 0) << "another subject";
  EXPECT_EQ(subjects.add_offence(slot, noon + one_day * 90), 1);
  EXPECT_EQ(subjects.add_offence(slot, noon + one_day * 200), 0) << "forgotten, so it begins anew";
}

TEST(Offences, RestartCountsOnWhereItWas) {
  Subjects subjects(HashSeed{}, one_day * 90, 1000);
  const Prefix one = prefix("192.0.2.1");
  subjects.restore_offence(one, 2, noon);  // the two before it ended too long ago to be loaded
  EXPECT_EQ(subjects.offences(one, noon + one_day), 3);
}

TEST(Promise5, SubjectsAreCappedAndEvictionsCounted) {
  Subjects subjects(HashSeed{}, one_day * 90, 100);
  for (uint32_t i = 0; i < 1000; ++i)
    subjects.add_offence(subjects.find_or_insert(Prefix::of(Address::v4(0xc6120000 + i))), noon + Duration{1s} * i);
  EXPECT_EQ(subjects.evicted(), 900U);
}

TEST(Promise5, NoSubjectIsForgottenWhileItIsBanned) {
  Subjects subjects(HashSeed{}, one_day * 90, 100);
  ActiveBans active(subjects);
  Decision decision;
  decision.prefix = prefix("192.0.2.1");
  active.put(subjects.find_or_insert(decision.prefix), decision);
  for (uint32_t i = 0; i < 1000; ++i)
    subjects.add_offence(subjects.find_or_insert(Prefix::of(Address::v4(0xc6120000 + i))), noon + Duration{1s} * i);
  EXPECT_EQ(subjects.evicted(), 901U);
  EXPECT_NE(active.find(decision.prefix), ActiveBans::none);
}

TEST(Promise2, AnExemptionHoldsForItsPrefixUntilItsEnd) {
  Exemptions exemptions(HashSeed{});
  EXPECT_FALSE(exemptions.exempts(address("192.0.2.1"), noon));
  exemptions.allow(prefix("192.0.2.0/24"), WallTime::max());
  exemptions.allow(prefix("198.51.100.7"), noon + 1h);
  EXPECT_TRUE(exemptions.exempts(address("192.0.2.1"), noon));
  EXPECT_TRUE(exemptions.exempts(prefix("192.0.2.128/25"), noon));
  EXPECT_FALSE(exemptions.exempts(prefix("192.0.0.0/16"), noon)) << "not all of it";
  EXPECT_TRUE(exemptions.exempts(address("198.51.100.7"), noon + 1h - 1us));
  EXPECT_FALSE(exemptions.exempts(address("198.51.100.7"), noon + 1h));
}

}  // namespace
}  // namespace palang
