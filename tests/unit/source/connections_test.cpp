#include "source/connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "unit/make.hpp"

namespace palang {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// A message of ctnetlink, written by hand: attributes are length, type, content, padded to four bytes.
std::string attribute(uint16_t type, const std::string& content) {
  const auto length = static_cast<uint16_t>(content.size() + 4);
  std::string text;
  text += static_cast<char>(length & 0xff);
  text += static_cast<char>(length >> 8);
  text += static_cast<char>(type & 0xff);
  text += static_cast<char>(type >> 8);
  text += content;
  while (text.size() % 4 != 0) text += '\0';
  return text;
}

std::string message(const std::string& source, const std::string& destination, char state) {
  constexpr uint16_t nested = 0x8000;
  const bool v6 = source.size() == 16;
  const std::string ip = attribute(v6 ? 3 : 1, source) + attribute(v6 ? 4 : 2, destination);
  const std::string proto = attribute(1, std::string(1, '\6')) + attribute(2, std::string("\xc0\x01", 2)) +
                            attribute(3, std::string("\x01\xbb", 2));
  const std::string tuple = attribute(1 | nested, ip) + attribute(2 | nested, proto);
  const std::string info = attribute(1 | nested, attribute(1, std::string(1, state)));
  return std::string("\x02\0\0\0", 4) + attribute(1 | nested, tuple) + attribute(4 | nested, info);
}

std::span<const uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(ReadConnection, OfBothFamilies) {
  const std::string v4 = message("\xc0\x00\x02\x07", "\xc6\x33\x64\x01", TCP_CONNTRACK_ESTABLISHED);
  EXPECT_FALSE(read_connection(bytes(v4.substr(0, 3))));
  const std::string with_zero =
      message(std::string("\xc0\x00\x02\x07", 4), "\xc6\x33\x64\x01", TCP_CONNTRACK_ESTABLISHED);
  const auto connection = read_connection(bytes(with_zero));
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->source, make::address("192.0.2.7"));
  EXPECT_EQ(connection->destination, make::address("198.51.100.1"));
  EXPECT_EQ(connection->port, 443);
  EXPECT_EQ(connection->protocol, Protocol::tcp);
  EXPECT_EQ(connection->tcp_state, TCP_CONNTRACK_ESTABLISHED);
  const std::string six = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + '\1';
  const auto other = read_connection(bytes(message(six, six, TCP_CONNTRACK_SYN_SENT)));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->source, make::address("2001:db8::1"));
}

TrackedConnection connection_of(std::string_view source, uint8_t state, uint16_t port = 443) {
  return {make::address(source), make::address("198.51.100.1"), port, Protocol::tcp, state};
}

ConnectionSettings limit_of(uint32_t limit) {
  ConnectionSettings settings;
  settings.limit = limit;
  return settings;
}

TEST(ConnectionTally, TellsOnlyOfThoseAboveTheLimit) {
  ConnectionTally tally(limit_of(3), HashSeed{1, 2});
  for (int i = 0; i < 3; ++i) tally.add(connection_of("192.0.2.1", TCP_CONNTRACK_ESTABLISHED));
  for (int i = 0; i < 4; ++i) tally.add(connection_of("192.0.2.2", TCP_CONNTRACK_ESTABLISHED));
  for (int i = 0; i < 9; ++i) tally.add(connection_of("127.0.0.1", TCP_CONNTRACK_ESTABLISHED));
  std::vector<Event> events;
  tally.tell(make::noon, events);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].source, make::address("192.0.2.2"));
  EXPECT_EQ(events[0].attempts, 4U);
  EXPECT_EQ(events[0].proof, Proof::handshake);
  EXPECT_EQ(events[0].rule, connections_rule());
}

TEST(ConnectionTally, TakesHalfOpenOnesForForgeable) {
  ConnectionTally tally(limit_of(3), HashSeed{1, 2});
  for (int i = 0; i < 100; ++i) tally.add(connection_of("192.0.2.1", TCP_CONNTRACK_SYN_RECV));
  for (int i = 0; i < 3; ++i) tally.add(connection_of("192.0.2.1", TCP_CONNTRACK_ESTABLISHED));
  std::vector<Event> events;
  tally.tell(make::noon, events);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].proof, Proof::forgeable);
}

TEST(ConnectionTally, PassesOverOtherPortsAndWhatOnlyWaits) {
  ConnectionSettings settings = limit_of(1);
  settings.ports.add(443);
  settings.skip_time_wait = true;
  ConnectionTally tally(settings, HashSeed{1, 2});
  for (int i = 0; i < 5; ++i) tally.add(connection_of("192.0.2.1", TCP_CONNTRACK_ESTABLISHED, 80));
  for (int i = 0; i < 5; ++i) tally.add(connection_of("192.0.2.1", TCP_CONNTRACK_TIME_WAIT));
  std::vector<Event> events;
  tally.tell(make::noon, events);
  EXPECT_THAT(events, IsEmpty());
}

}  // namespace
}  // namespace palang
