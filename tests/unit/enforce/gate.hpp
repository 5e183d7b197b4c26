#pragma once

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "enforce/nft_enforcer.hpp"
#include "namespaces.hpp"

namespace palang::testing {

inline const WallTime now{std::chrono::sys_days{std::chrono::year{2025} / 1 / 12}};
inline constexpr Duration tolerance = 2s;  // ipset counts in whole seconds

inline Ban ban(const std::string& prefix, Scope scope, Duration length) {
  return {*Prefix::parse(prefix), scope, now + length};
}

inline Change change(ChangeKind kind, const Ban& ban) {
  Change change;
  change.kind = kind;
  change.decision.prefix = ban.prefix;
  change.decision.scope = ban.scope;
  change.decision.until = ban.until;
  return change;
}

inline Change added(const std::string& prefix, Scope scope, Duration length) {
  return change(ChangeKind::added, ban(prefix, scope, length));
}

// A kernel of our own to play with: a fresh network namespace, and an enforcer in it.
template <typename Kind>
class GateOf : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_NAMESPACE(namespace_);
    inside_.emplace(namespace_);
    restart();
  }
  void restart() {
    enforcer_.reset();
    auto opened = Kind::open();
    if (!opened) GTEST_SKIP() << "the kernel doesn't answer here: " << opened.error().text;
    enforcer_ = std::move(*opened);
  }

  void apply(const std::vector<Change>& changes) {
    const auto done = enforcer_->apply(changes, now);
    ASSERT_TRUE(done) << done.error().text;
  }
  ReconcileReport reconcile(const Intended& intended, Enforcer::Extra extra = Enforcer::Extra::remove) {
    const auto report = enforcer_->reconcile(intended, extra, now);
    EXPECT_TRUE(report) << report.error().text;
    return report.value_or(ReconcileReport{});
  }
  std::map<std::string, Ban> held() {
    std::map<std::string, Ban> by_prefix;
    const auto bans = enforcer_->held(now);
    EXPECT_TRUE(bans) << bans.error().text;
    for (const Ban& ban : bans.value_or(std::vector<Ban>{})) by_prefix[ban.prefix.text()] = ban;
    return by_prefix;
  }
  void expect_held(const std::vector<Ban>& bans) {
    const auto have = held();
    EXPECT_EQ(have.size(), bans.size());
    for (const Ban& want : bans) {
      const auto found = have.find(want.prefix.text());
      ASSERT_NE(found, have.end()) << want.prefix.text();
      EXPECT_EQ(found->second.scope, want.scope) << want.prefix.text();
      EXPECT_LE(std::chrono::abs(found->second.until - want.until), tolerance) << want.prefix.text();
    }
  }
  static std::string nft(const std::vector<std::string>& words) {
    std::vector<std::string> command{"nft"};
    command.insert(command.end(), words.begin(), words.end());
    const auto ran = run(command);
    EXPECT_EQ(ran.code, 0) << ran.out;
    return ran.out;
  }

  Namespace namespace_;
  std::optional<Inside> inside_;
  std::unique_ptr<Kind> enforcer_;
};

using Gate = GateOf<NftEnforcer>;

inline Intended intended_of(std::vector<Ban> bans) {
  Intended intended;
  intended.bans = std::move(bans);
  return intended;
}

inline void expect_nothing_changed(const ReconcileReport& report) {
  EXPECT_EQ(report.added, 0U);
  EXPECT_EQ(report.removed, 0U);
  EXPECT_EQ(report.refreshed, 0U);
  EXPECT_EQ(report.rewritten, 0U);
  EXPECT_FALSE(report.rebuilt);
}

// With the admin's own tool at hand.
class GateAndNft : public Gate {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_PROGRAM("nft");
    Gate::SetUp();
  }
};

}  // namespace palang::testing
