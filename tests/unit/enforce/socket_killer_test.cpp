#include "enforce/socket_killer.hpp"

#include <cerrno>

#include "two_hosts.hpp"

namespace palang {
namespace {

using testing::Inside;
using testing::TwoHosts;

class Killer : public TwoHosts {
 protected:
  size_t kill(const char* prefix, const std::function<bool(const Address&)>& is_exempt) {
    const Inside here(ours_);
    auto killer = SocketKiller::open();
    EXPECT_TRUE(killer) << killer.error().text;
    const Prefix peers[] = {*Prefix::parse("203.0.113.0/24"), *Prefix::parse(prefix)};
    const auto killed = killer->kill(peers, is_exempt);
    EXPECT_TRUE(killed) << killed.error().text;
    return killed.value_or(0);
  }
  // Whether the socket was destroyed under its owner.
  static bool is_dead(const Fd& socket) { return error_on(socket) == ECONNABORTED; }
  static bool nobody(const Address& /*peer*/) { return false; }
};

TEST_F(Killer, DestroysWhatTheBannedOpenedToUs) {
  const Fd service = listener(ours_, our_v4, 80);
  const Fd service6 = listener(ours_, "::", 81);
  const auto theirs = connect(theirs_, our_v4, 80);
  const auto theirs6 = connect(theirs_, our_v6, 81);
  const auto theirs_mapped = connect(theirs_, our_v4, 81);
  const Fd ours = accept(service);
  const Fd ours6 = accept(service6);
  const Fd ours_mapped = accept(service6);
  ASSERT_TRUE(ours && ours6 && ours_mapped);

  EXPECT_EQ(kill("198.51.100.0/24", [](const Address& peer) { return peer.text() == their_v4; }), 0U) << "exempt";
  if (kill("198.51.100.0/24", nobody) == 0)
    GTEST_SKIP() << "this kernel can't destroy sockets (CONFIG_INET_DIAG_DESTROY)";
  EXPECT_TRUE(is_dead(ours));
  EXPECT_TRUE(is_dead(ours_mapped));
  EXPECT_FALSE(is_dead(ours6));
  EXPECT_EQ(kill("2001:db8:1::/64", nobody), 1U);
  EXPECT_TRUE(is_dead(ours6));
  EXPECT_EQ(kill("2001:db8:1::/64", nobody), 0U);
}

TEST_F(Killer, SparesWhatWeOpenedToThem) {
  const Fd their_service = listener(theirs_, their_v4, 443);
  const auto ours = connect(ours_, their_v4, 443);
  ASSERT_EQ(ours.answer, Answer::accepted);
  const Fd theirs = accept(their_service);
  EXPECT_EQ(kill("198.51.100.0/24", nobody), 0U);
  EXPECT_TRUE(hears(theirs, ours.socket));
}

}  // namespace
}  // namespace palang
