#include "host/public_ports.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

using Ports = std::vector<uint16_t>;
constexpr WallTime start{one_day * 20'000};
const Address stranger = Address::v4(0xcb007109);  // 203.0.113.9

Listening services(const Ports& tcp, const Ports& udp = {}) {
  Listening listening;
  for (const uint16_t port : tcp) listening.services.tcp.add(port);
  for (const uint16_t port : udp) listening.services.udp.add(port);
  return listening;
}

PortSet ports(const Ports& list) {
  PortSet set;
  for (const uint16_t port : list) set.add(port);
  return set;
}

class PublicPortsOfAHost : public testing::Test {
 protected:
  PublicPortTracker tracker_{{ports({8080}), ports({})}, true};
  void SetUp() override { tracker_.note_listening(services({22, 80, 3306}, {53}), start); }
};

TEST_F(PublicPortsOfAHost, AreThoseFoundAndThoseDeclared) {
  EXPECT_EQ(tracker_.current(start).tcp.list(), (Ports{22, 80, 3306, 8080}));
  EXPECT_EQ(tracker_.current(start).udp.list(), (Ports{53}));
}

TEST_F(PublicPortsOfAHost, FollowTheServices) {
  tracker_.note_listening(services({22}), start + 1min);
  EXPECT_EQ(tracker_.current(start + 1min).tcp.list(), (Ports{22, 8080}));
}

TEST_F(PublicPortsOfAHost, ARefusalTakesAPortOutForSevenDays) {
  EXPECT_TRUE(tracker_.note_refused(Protocol::tcp, 3306, stranger, start));
  EXPECT_FALSE(tracker_.note_refused(Protocol::tcp, 3306, stranger, start)) << "it is out already";
  EXPECT_EQ(tracker_.current(start).tcp.list(), (Ports{22, 80, 8080}));
  EXPECT_EQ(tracker_.refused_tcp(start).list(), (Ports{3306}));
  EXPECT_FALSE(tracker_.current(start + one_day * 7 - 1s).tcp.contains(3306));
  EXPECT_TRUE(tracker_.current(start + one_day * 7).tcp.contains(3306));
  EXPECT_TRUE(tracker_.refused_tcp(start + one_day * 7).list().empty());
}

TEST_F(PublicPortsOfAHost, AStrangersConnectionWinsOverARefusalFor28Days) {
  tracker_.note_refused(Protocol::tcp, 80, stranger, start);
  tracker_.note_used_by_strangers(ports({80}), start);
  EXPECT_TRUE(tracker_.current(start).tcp.contains(80));
  EXPECT_FALSE(tracker_.note_refused(Protocol::tcp, 80, stranger, start + one_day * 27));
  EXPECT_TRUE(tracker_.current(start + one_day * 27).tcp.contains(80));
  EXPECT_FALSE(tracker_.current(start + one_day * 28).tcp.contains(80));
}

TEST_F(PublicPortsOfAHost, ADeclaredPortIsNeverTakenOut) {
  tracker_.note_listening(services({8080}), start);
  EXPECT_FALSE(tracker_.note_refused(Protocol::tcp, 8080, stranger, start));
  EXPECT_TRUE(tracker_.current(start).tcp.contains(8080));
}

TEST_F(PublicPortsOfAHost, ARefusalBeforeTheServiceStartedMeansNothing) {
  EXPECT_FALSE(tracker_.note_refused(Protocol::tcp, 443, stranger, start));
  tracker_.note_listening(services({443}), start + 1min);
  EXPECT_TRUE(tracker_.current(start + 1min).tcp.contains(443));
}

TEST_F(PublicPortsOfAHost, UdpNeedsRefusalsFromTwoNetworks) {
  EXPECT_FALSE(tracker_.note_refused(Protocol::udp, 53, stranger, start));
  EXPECT_FALSE(tracker_.note_refused(Protocol::udp, 53, Address::v4(0xcb007177), start)) << "the same /24";
  EXPECT_TRUE(tracker_.current(start).udp.contains(53));
  EXPECT_TRUE(tracker_.note_refused(Protocol::udp, 53, Address::v4(0xc6336401), start + one_day));
  EXPECT_FALSE(tracker_.current(start + one_day).udp.contains(53));
  EXPECT_TRUE(tracker_.current(start + one_day * 7).udp.contains(53)) << "the older of the two is too old";
}

TEST_F(PublicPortsOfAHost, OtherProtocolsHaveNoPorts) {
  EXPECT_FALSE(tracker_.note_refused(Protocol::icmp, 22, stranger, start));
  EXPECT_TRUE(tracker_.current(start).tcp.contains(22));
}

TEST_F(PublicPortsOfAHost, AnEphemeralUdpSocketCountsOnceItStays) {
  Listening listening;
  listening.ephemeral_udp = {{40000, 1}};
  tracker_.note_listening(listening, start);
  EXPECT_FALSE(tracker_.current(start).udp.contains(40000));
  tracker_.note_listening(listening, start + 9min);
  EXPECT_FALSE(tracker_.current(start + 9min).udp.contains(40000));
  tracker_.note_listening(listening, start + 10min);
  EXPECT_TRUE(tracker_.current(start + 10min).udp.contains(40000));
  listening.ephemeral_udp = {{40000, 2}};
  tracker_.note_listening(listening, start + 11min);
  EXPECT_FALSE(tracker_.current(start + 11min).udp.contains(40000)) << "another socket on the same port";
}

TEST(PublicPorts, EphemeralSocketsOfTheFirstLookCountAtOnce) {
  PublicPortTracker tracker({}, true);
  Listening listening;
  listening.ephemeral_udp = {{40000, 1}};
  tracker.note_listening(listening, start);
  EXPECT_TRUE(tracker.current(start).udp.contains(40000));
}

TEST(PublicPorts, WithoutDetectionOnlyTheDeclaredAreOpen) {
  PublicPortTracker tracker({ports({443}), ports({53})}, false);
  tracker.note_listening(services({22}), start);
  tracker.note_refused(Protocol::tcp, 443, stranger, start);
  EXPECT_EQ(tracker.current(start), (PublicPorts{ports({443}), ports({53})}));
}

}  // namespace
}  // namespace palang
