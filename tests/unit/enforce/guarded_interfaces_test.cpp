#include "enforce/guarded_interfaces.hpp"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <net/if.h>

#include "bpf_place.hpp"

namespace palang::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What is attached are programs that drop all or pass all: which one is in force is told by its id.
class GuardedInterfacesOf : public BpfPlace {
 protected:
  void SetUp() override {
    BpfPlace::SetUp();
    if (IsSkipped()) return;
    ip({"link", "add", "cable0", "type", "veth", "peer", "name", "cable1"});
    ip({"link", "set", "cable0", "up"});
    ip({"link", "add", "bridge0", "type", "bridge"});
  }

  static Interface named(const std::string& name) { return {::if_nametoindex(name.c_str()), name, true, true, false}; }
  static uint32_t xdp_on(const std::string& name) {
    bpf_xdp_query_opts found{};
    found.sz = sizeof found;
    EXPECT_EQ(bpf_xdp_query(static_cast<int>(named(name).index), 0, &found), 0);
    return found.prog_id;
  }
  static std::string filters_of(const std::string& name) {
    return run({"tc", "filter", "show", "dev", name, "ingress"}).out;
  }
  static std::string hooks_of(const std::string& name) { return run({"tc", "qdisc", "show", "dev", name}).out; }

  GuardedInterfaces guarded(GuardedInterfaces::Ways ways = GuardedInterfaces::Ways::all) { return {pins(), ways}; }
  GuardedInterface guard(GuardedInterfaces& guarded, const Interface& interface,
                         GuardedInterfaces::Renew renew = GuardedInterfaces::Renew::no) {
    const std::array wanted{interface};
    guarded.guard(wanted, {xdp_.get(), classifier_.get(), nullptr}, renew);
    return guarded.all().front();
  }

  Fd xdp_ = tiny_program(BPF_PROG_TYPE_XDP, XDP_DROP);
  Fd classifier_ = tiny_program(BPF_PROG_TYPE_SCHED_CLS, 2);  // TC_ACT_SHOT
};

TEST_F(GuardedInterfacesOf, ADriverWithXdpAreNative) {
  auto all = guarded();
  const auto one = guard(all, named("cable0"));
  EXPECT_EQ(one.mode, GateMode::native);
  EXPECT_THAT(one.reasons, IsEmpty());
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
}

TEST_F(GuardedInterfacesOf, ADriverWithoutXdpAreGenericAndSayWhy) {
  auto all = guarded();
  const auto one = guard(all, named("bridge0"));
  EXPECT_EQ(one.mode, GateMode::generic);
  EXPECT_THAT(one.reasons, ElementsAre(HasSubstr("native XDP is not to be had")));
  EXPECT_EQ(xdp_on("bridge0"), id_of_program(xdp_));
}

TEST_F(GuardedInterfacesOf, ThoseWhoWantNoHarmGetNothingSlower) {
  auto all = guarded(GuardedInterfaces::Ways::harmless);
  EXPECT_EQ(guard(all, named("bridge0")).mode, std::nullopt);
  EXPECT_EQ(xdp_on("bridge0"), 0U);
  EXPECT_THAT(filters_of("bridge0"), IsEmpty());
}

TEST_F(GuardedInterfacesOf, MergedPacketsAreLeftAloneByThoseWhoWantNoHarm) {
  auto all = guarded(GuardedInterfaces::Ways::harmless);
  Interface cable = named("cable0");
  EXPECT_EQ(guard(all, cable).mode, GateMode::native);
  ASSERT_TRUE(all.release_all());
  cable.merges_packets = true;
  const auto one = guard(all, cable);
  EXPECT_EQ(one.mode, std::nullopt);
  EXPECT_THAT(one.reasons, ElementsAre(HasSubstr("would keep it from merging received packets")));
}

TEST_F(GuardedInterfacesOf, NoEthernetAreLeftAlone) {
  auto all = guarded();
  Interface loopback = named("lo");
  loopback.is_ethernet = false;
  const auto one = guard(all, loopback);
  EXPECT_EQ(one.mode, std::nullopt);
  EXPECT_THAT(one.reasons, ElementsAre("lo carries no Ethernet frames"));
}

TEST_F(GuardedInterfacesOf, ADaemonThatDiedStayGuardedAndAreTakenOver) {
  {
    auto dies = guarded();
    (void)guard(dies, named("cable0"));
    (void)guard(dies, named("cable0"));
  }
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
  xdp_ = tiny_program(BPF_PROG_TYPE_XDP, XDP_DROP);
  auto next = guarded();
  EXPECT_THAT(next.known().value(), ElementsAre(named("cable0").index));
  EXPECT_EQ(guard(next, named("cable0")).mode, GateMode::native);
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
}

TEST_F(GuardedInterfacesOf, GetANewProgramOnlyWhenTold) {
  auto all = guarded();
  (void)guard(all, named("cable0"));
  const Fd first = std::exchange(xdp_, tiny_program(BPF_PROG_TYPE_XDP, XDP_DROP));
  (void)guard(all, named("cable0"));
  EXPECT_EQ(xdp_on("cable0"), id_of_program(first));
  (void)guard(all, named("cable0"), GuardedInterfaces::Renew::yes);
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
}

TEST_F(GuardedInterfacesOf, AnInterfaceMadeAnewAreGuardedAnew) {
  auto all = guarded();
  const uint32_t before = named("cable0").index;
  (void)guard(all, named("cable0"));
  ip({"link", "del", "cable0"});
  ip({"link", "add", "cable0", "type", "veth", "peer", "name", "cable1"});
  ASSERT_NE(named("cable0").index, before);
  EXPECT_EQ(guard(all, named("cable0")).mode, GateMode::native);
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
  EXPECT_THAT(all.known().value(), ElementsAre(named("cable0").index)) << "the dead one is forgotten";
}

TEST_F(GuardedInterfacesOf, AnIndexThatCameBackAreGuardedAnew) {
  auto all = guarded();
  const std::string index = std::to_string(named("cable0").index);
  (void)guard(all, named("cable0"));
  ip({"link", "del", "cable0"});
  ip({"link", "add", "cable0", "index", index, "type", "veth", "peer", "name", "cable1"});
  EXPECT_EQ(guard(all, named("cable0")).mode, GateMode::native);
  EXPECT_EQ(xdp_on("cable0"), id_of_program(xdp_));
}

TEST_F(GuardedInterfacesOf, SomebodyElsesXdpKeepItAndAreGuardedByTc) {
  SKIP_WITHOUT_PROGRAM("tc");
  const Fd foreign = tiny_program(BPF_PROG_TYPE_XDP, XDP_PASS);
  ASSERT_EQ(bpf_xdp_attach(static_cast<int>(named("cable0").index), foreign.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  auto all = guarded();
  const OpensGate opens = [] { return fail("not reached: it is no dispatcher"); };
  const std::array wanted{named("cable0")};
  all.guard(wanted, {xdp_.get(), classifier_.get(), &opens}, GuardedInterfaces::Renew::no);
  EXPECT_EQ(all.all().front().mode, GateMode::classifier);
  EXPECT_THAT(all.all().front().reasons, ElementsAre(HasSubstr("another XDP program has the interface")));
  EXPECT_EQ(xdp_on("cable0"), id_of_program(foreign));
  EXPECT_THAT(filters_of("cable0"), HasSubstr("id " + std::to_string(id_of_program(classifier_))));
  ASSERT_TRUE(all.release_all());
  EXPECT_EQ(xdp_on("cable0"), id_of_program(foreign));
}

class ReleasedInterfaces : public GuardedInterfacesOf {
 protected:
  void SetUp() override {
    GuardedInterfacesOf::SetUp();
    if (IsSkipped()) return;
    SKIP_WITHOUT_PROGRAM("tc");
    foreign_ = tiny_program(BPF_PROG_TYPE_XDP, XDP_PASS);
    ASSERT_EQ(bpf_xdp_attach(static_cast<int>(named("cable0").index), foreign_.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  }
  Fd foreign_;
};

TEST_F(ReleasedInterfaces, HaveNothingOfOursThoughAnotherDaemonReleases) {
  {
    auto dies = guarded();
    (void)guard(dies, named("cable0"));
  }
  EXPECT_THAT(hooks_of("cable0"), HasSubstr("clsact"));
  auto next = guarded();
  ASSERT_TRUE(next.release_all());
  EXPECT_THAT(hooks_of("cable0"), Not(HasSubstr("clsact")));
  EXPECT_THAT(pins().names().value(), IsEmpty());
}

TEST_F(ReleasedInterfaces, KeepTheHookThatOthersMadeOrUse) {
  auto all = guarded();
  (void)guard(all, named("cable0"));
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(named("cable0").index);
  hook.attach_point = BPF_TC_EGRESS;
  bpf_tc_opts place{};
  place.sz = sizeof place;
  place.prog_fd = classifier_.get();
  ASSERT_EQ(bpf_tc_attach(&hook, &place), 0);
  ASSERT_TRUE(all.release_all());
  EXPECT_THAT(hooks_of("cable0"), HasSubstr("clsact")) << "another filter uses it";
  run({"tc", "filter", "del", "dev", "cable0", "egress"});
  (void)guard(all, named("cable0"));
  ASSERT_TRUE(all.release_all());
  EXPECT_THAT(hooks_of("cable0"), HasSubstr("clsact")) << "another made it";
  EXPECT_THAT(filters_of("cable0"), IsEmpty());
}

TEST_F(ReleasedInterfaces, GetTheirFilterBackWhenItWasDeleted) {
  auto all = guarded();
  (void)guard(all, named("cable0"));
  run({"tc", "qdisc", "del", "dev", "cable0", "clsact"});
  EXPECT_EQ(guard(all, named("cable0")).mode, GateMode::classifier);
  EXPECT_THAT(filters_of("cable0"), HasSubstr("palang_tiny"));
}

}  // namespace
}  // namespace palang::testing
