#include "detect/detectors.hpp"

#include <gtest/gtest.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using make::refused;

DetectSettings three_in_ten_minutes() {
  DetectSettings settings;
  settings.blocked.after = 3;
  return settings;
}

TEST(Blocked, FallsAtFirstSightByDefault) {
  Detectors detectors(DetectSettings{}, HashSeed{});
  const auto finding = detectors.observe(refused("192.0.2.1", noon, 22));
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->offender, make::address("192.0.2.1"));
  EXPECT_EQ(finding->rule, Rule::blocked);
  EXPECT_EQ(finding->at, noon);
  EXPECT_EQ(finding->port, 22);
  EXPECT_EQ(finding->count, 1U);
  EXPECT_EQ(finding->proof, Proof::forgeable);
  EXPECT_EQ(detectors.tracked(), 0U) << "nothing is kept where nothing has to be";
}

TEST(Blocked, CountsWithinItsWindowPerAddress) {
  Detectors detectors(three_in_ten_minutes(), HashSeed{});
  EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.2", noon)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon + 5min)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon + 10min))) << "the first is ten minutes old";
  const auto finding = detectors.observe(refused("192.0.2.1", noon + 11min));
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->count, 3U);
}

TEST(Blocked, ForgetsWhatIsUsedUp) {
  Detectors detectors(three_in_ten_minutes(), HashSeed{});
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon)));
  detectors.forget(make::address("192.0.2.1"));
  EXPECT_EQ(detectors.tracked(), 0U);
  EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon)));
}

TEST(Portscan, CountsDistinctPortsWithinItsWindow) {
  DetectSettings settings;
  settings.blocked.enabled = false;
  settings.portscan.ports = 4;
  Detectors detectors(settings, HashSeed{});
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon + Duration{1s} * i, static_cast<uint16_t>(80 + i % 3))));
  const auto finding = detectors.observe(refused("192.0.2.1", noon + 30s, 443));
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->rule, Rule::portscan);
  EXPECT_EQ(finding->count, 4U);
  EXPECT_EQ(finding->port, 443);

  EXPECT_FALSE(detectors.observe(refused("192.0.2.9", noon, 1)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.9", noon + 9min, 2)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.9", noon + 9min, 3)));
  EXPECT_FALSE(detectors.observe(refused("192.0.2.9", noon + 10min, 4))) << "port 1 was ten minutes ago";
}

TEST(Portscan, IcmpHasNoPorts) {
  DetectSettings settings;
  settings.blocked.enabled = false;
  settings.portscan.ports = 2;
  Detectors detectors(settings, HashSeed{});
  for (uint16_t port = 0; port < 5; ++port) {
    Event event = refused("192.0.2.1", noon, port);
    event.protocol = Protocol::icmp;
    EXPECT_FALSE(detectors.observe(event));
  }
}

TEST(Promise4, CountsSurviveARestart) {
  Detectors before(three_in_ten_minutes(), HashSeed{});
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(before.observe(refused("192.0.2.1", noon, 22)));
  Detectors after(three_in_ten_minutes(), HashSeed{});
  after.restore(before.pending_of(make::address("192.0.2.1")), noon + 1min);
  EXPECT_EQ(after.pending_of(make::address("192.0.2.1")).size(), 2U) << "one per rule that counts it";
  EXPECT_TRUE(after.observe(refused("192.0.2.1", noon + 1min)));
}

TEST(Promise5, AddressesAreCappedAndEvictionsCounted) {
  DetectSettings settings = three_in_ten_minutes();
  settings.portscan.enabled = false;
  settings.tracked_sources = 100;
  Detectors detectors(settings, HashSeed{});
  for (uint32_t i = 0; i < 1000; ++i)
    EXPECT_FALSE(detectors.observe(refused(Address::v4(0xc6120000 + i), noon + Duration{1s} * i)));
  EXPECT_EQ(detectors.tracked(), 100U);
  EXPECT_EQ(detectors.evicted(), 900U);
}

TEST(Promise5, SightingsPerAddressAreCapped) {
  DetectSettings settings;
  settings.blocked.after = 1000;
  settings.portscan.ports = 1000;
  Detectors detectors(settings, HashSeed{});
  for (int i = 0; i < 999; ++i) {
    EXPECT_FALSE(detectors.observe(refused("192.0.2.1", noon, 22)));
  }
  const auto pending = detectors.pending_of(make::address("192.0.2.1"));
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].times.size(), 999U);
  EXPECT_EQ(pending[1].times.size(), 1U) << "one per port";
}

}  // namespace
}  // namespace palang
