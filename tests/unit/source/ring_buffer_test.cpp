#include "source/ring_buffer.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "bpf/abi.h"
#include "unit/make.hpp"

namespace palang {
namespace {

palang_event told(palang_event_kind kind) {
  palang_event event{};
  event.source.low = 0xffff'c612'0007;  // 198.18.0.7
  event.kind = static_cast<uint16_t>(kind);
  event.port = 23;
  event.count = 2;
  event.protocol = IPPROTO_TCP;
  return event;
}

TEST(EventOfXdp, TrippedIsAnOffenceThatCouldBeForged) {
  const auto event = event_of(told(PALANG_TRIPPED), make::noon);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->source, make::address("198.18.0.7"));
  EXPECT_EQ(event->at, make::noon);
  EXPECT_EQ(event->port, 23);
  EXPECT_EQ(event->protocol, Protocol::tcp);
  EXPECT_EQ(event->proof, Proof::forgeable);
  EXPECT_EQ(event->counted, 2U);
}

TEST(EventOfXdp, WhoCompletedAConnectionIsReal) {
  auto proven = told(PALANG_PROVEN);
  proven.count = 0;
  const auto event = event_of(proven, make::noon);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->proof, Proof::handshake);
  EXPECT_EQ(event->counted, 1U) << "an offence all the same";
}

TEST(EventOfXdp, SourcesOfBothFamilies) {
  auto six = told(PALANG_TRIPPED);
  six.source = {0x2001'0db8'0000'0000, 7};
  six.protocol = IPPROTO_UDP;
  EXPECT_EQ(event_of(six, make::noon)->source, make::address("2001:db8::7"));
  EXPECT_EQ(event_of(six, make::noon)->protocol, Protocol::udp);
}

TEST(EventOfXdp, OfAKindFromTheFutureIsNone) {
  auto other = told(PALANG_TRIPPED);
  other.kind = 77;
  EXPECT_FALSE(event_of(other, make::noon));
}

TEST(RingBufferOfXdp, WithoutAMapIsRefusedWithASentence) {
  const auto opened = RingBuffer::open(-1, [](uint64_t) { return make::noon; });
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().text.starts_with("open the ring buffer of XDP: ")) << opened.error().text;
}

}  // namespace
}  // namespace palang
