#include "enforce/nft_monitor.hpp"

#include <poll.h>
#include <sys/socket.h>

#include "gate.hpp"

namespace palang {
namespace {

using namespace palang::testing;  // NOLINT: the words of the fixture

class Monitored : public GateAndNft {
 protected:
  void SetUp() override {
    GateAndNft::SetUp();
    if (IsSkipped()) return;
    intended_ = intended_of({ban("192.0.2.1", Scope::quiet, 1h), ban("192.0.2.0/24", Scope::full, 1h)});
    intended_.open.tcp.add(22);
    reconcile(intended_);
    const uint32_t own[] = {enforcer_->port_id()};
    auto opened = NftMonitor::open(own);
    ASSERT_TRUE(opened) << opened.error().text;
    monitor_.emplace(std::move(*opened));
  }
  ForeignChange seen() {
    const auto change = monitor_->drain();
    EXPECT_TRUE(change) << change.error().text;
    return change.value_or(ForeignChange::none);
  }
  Intended intended_;
  std::optional<NftMonitor> monitor_;
};

TEST_F(Monitored, HearsNothingOfItsOwnDoingsAndOfOtherTables) {
  apply({added("192.0.2.7", Scope::quiet, 1h), added("2001:db8::/64", Scope::full, 1h)});
  reconcile(intended_);
  pollfd readable{monitor_->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 0), 0) << "own messages are dropped in the kernel";
  nft(
      {"add table inet other; add set inet other full4_24 { type ipv4_addr; }; "
       "add element inet other full4_24 { 192.0.2.0 }; add table ip palang; delete table ip palang"});
  EXPECT_EQ(seen(), ForeignChange::none);
  nft({"list", "ruleset"});
  EXPECT_EQ(seen(), ForeignChange::none);
}

TEST_F(Monitored, HearsWhatOthersDoToOurTable) {
  const auto after = [&](const std::string& command) {
    nft({command});
    const ForeignChange change = seen();
    reconcile(intended_);
    EXPECT_EQ(seen(), ForeignChange::none);
    return change;
  };
  EXPECT_EQ(after("flush ruleset"), ForeignChange::everything);
  EXPECT_EQ(after("delete table inet palang"), ForeignChange::everything);
  EXPECT_EQ(after("flush set inet palang quiet4_32"), ForeignChange::everything);
  EXPECT_EQ(after("delete element inet palang quiet4_32 { 192.0.2.1 }"), ForeignChange::everything);
  EXPECT_EQ(after("flush set inet palang open_tcp"), ForeignChange::structure);
  EXPECT_EQ(after("flush chain inet palang gate_full"), ForeignChange::structure);
  EXPECT_EQ(after("insert rule inet palang gate_quiet accept"), ForeignChange::structure);
  EXPECT_EQ(after("add chain inet palang theirs"), ForeignChange::structure);
}

TEST_F(Monitored, TakesLostNotificationsForChanges) {
  const int tiny = 1;  // the kernel makes it the least it allows
  ASSERT_EQ(::setsockopt(monitor_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny), 0);
  for (int i = 0; i < 20; ++i) nft({"add table inet other; delete table inet other"});
  EXPECT_EQ(seen(), ForeignChange::everything);
  EXPECT_EQ(seen(), ForeignChange::none);
}

}  // namespace
}  // namespace palang
