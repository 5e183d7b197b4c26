#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "enforce/xdp_enforcer.hpp"
#include "frames.hpp"
#include "namespaces.hpp"

namespace palang::testing {

// The real program in the running kernel; packets are handed to it by BPF_PROG_TEST_RUN, in a network namespace of
// their own, and no interface is touched.
class Gatekeeper : public ::testing::Test {
 protected:
  [[nodiscard]] virtual XdpProgram::Options options() const { return {.pins = {}, .with_tc = true}; }
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to load a program into the kernel";
    SKIP_WITHOUT_NAMESPACE(namespace_);
    inside_.emplace(namespace_);
    auto loaded = XdpProgram::load(options());
    if (!loaded && (loaded.error().os == EPERM || loaded.error().os == ENOSYS)) GTEST_SKIP() << loaded.error().text;
    ASSERT_TRUE(loaded) << loaded.error().text;
    auto opened = XdpEnforcer::open(std::move(*loaded), {});
    ASSERT_TRUE(opened) << opened.error().text;
    enforcer_ = std::move(*opened);
  }

  struct Ran {
    uint32_t result = 0;  // XDP_PASS, XDP_DROP, XDP_TX
    std::string frame;    // as the program left it
  };
  Ran run_program(const std::string& frame) {
    Ran ran;
    ran.frame.resize(frame.size() + 256);
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<uint32_t>(frame.size());
    options.data_out = ran.frame.data();
    options.data_size_out = static_cast<uint32_t>(ran.frame.size());
    options.repeat = 1;
    EXPECT_EQ(bpf_prog_test_run_opts(enforcer_->program().xdp(), &options), 0) << std::strerror(errno);
    ran.result = options.retval;
    ran.frame.resize(options.data_size_out);
    return ran;
  }
  bool passes(const std::string& frame) { return run_program(frame).result == XDP_PASS; }
  bool passes(const Frame& frame) { return passes(frame.bytes()); }
  bool drops(const Frame& frame) { return run_program(frame.bytes()).result == XDP_DROP; }

  // What the program counted this frame as.
  std::string verdict_on(const std::string& frame) {
    const auto before = counters();
    run_program(frame);
    const auto after = counters();
    for (size_t i = 0; i < after.size(); ++i)
      if (after[i] != before[i] && !is_aside(i)) return std::string(xdp_counter_name(i));
    return "nothing";
  }
  std::string verdict_on(const Frame& frame) { return verdict_on(frame.bytes()); }

  std::vector<uint64_t> counters() {
    auto sums = enforcer_->counters();
    EXPECT_TRUE(sums);
    return sums.value_or(std::vector<uint64_t>(PALANG_VERDICTS));
  }

  void apply(ChangeKind kind, const std::string& prefix, Scope scope, Duration length, uint8_t repeat = 0) {
    Change change;
    change.kind = kind;
    change.decision.prefix = make::prefix(prefix);
    change.decision.scope = scope;
    change.decision.until = now_ + length;
    change.decision.repeat = repeat;
    const auto done = enforcer_->apply({&change, 1}, now_);
    ASSERT_TRUE(done) << done.error().text;
  }
  void ban(const std::string& prefix, Scope scope = Scope::quiet, Duration length = one_day) {
    apply(ChangeKind::added, prefix, scope, length);
  }
  void lift(const std::string& prefix) { apply(ChangeKind::lifted, prefix, Scope::quiet, {}); }

  ReconcileReport reconcile(const Intended& intended, Enforcer::Extra extra = Enforcer::Extra::remove) {
    const auto report = enforcer_->reconcile(intended, extra, now_);
    EXPECT_TRUE(report) << report.error().text;
    return report.value_or(ReconcileReport{});
  }
  // Leaves the bans as they are.
  void allow_and_open(const std::vector<std::string>& allowed, const std::vector<uint16_t>& open_tcp = {},
                      const std::vector<uint16_t>& open_udp = {}) {
    Intended intended;
    for (const std::string& prefix : allowed) intended.allowed.push_back({make::prefix(prefix)});
    for (const uint16_t port : open_tcp) intended.open.tcp.add(port);
    for (const uint16_t port : open_udp) intended.open.udp.add(port);
    reconcile(intended);
  }
  uint64_t hits_of(const std::string& prefix) {
    const Ban asked{make::prefix(prefix), Scope::quiet, now_};
    const auto hits = enforcer_->hits({&asked, 1});
    EXPECT_TRUE(hits);
    return hits && hits->size() == 1 ? hits->front().packets : UINT64_MAX;
  }

  WallTime now_ = make::noon;
  Namespace namespace_;
  std::optional<Inside> inside_;
  std::unique_ptr<XdpEnforcer> enforcer_;

 private:
  static bool is_aside(size_t counter) { return counter >= PALANG_SAW_EXPIRED; }
};

}  // namespace palang::testing
