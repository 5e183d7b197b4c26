#include "enforce/dry_run.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

const WallTime now{std::chrono::sys_days{std::chrono::year{2025} / 1 / 12}};

Ban ban(const char* prefix, Scope scope, WallTime until) {
  return {*Prefix::parse(prefix), scope, until};
}

Change change(ChangeKind kind, const Ban& ban) {
  Change change;
  change.kind = kind;
  change.decision.prefix = ban.prefix;
  change.decision.scope = ban.scope;
  change.decision.until = ban.until;
  return change;
}

TEST(DryRun, HoldsWhatItWasToldUntilItsEnd) {
  DryRun enforcer;
  const Change changes[] = {change(ChangeKind::added, ban("192.0.2.1", Scope::quiet, now + 1h)),
                            change(ChangeKind::moved, ban("192.0.2.1", Scope::full, now + 2h)),
                            change(ChangeKind::added, ban("198.51.100.0/24", Scope::quiet, now + 1h)),
                            change(ChangeKind::added, ban("203.0.113.5", Scope::quiet, now)),
                            change(ChangeKind::added, ban("203.0.113.6", Scope::quiet, now + 1h)),
                            change(ChangeKind::lifted, ban("203.0.113.6", Scope::quiet, now + 1h))};
  ASSERT_TRUE(enforcer.apply(changes, now));
  EXPECT_EQ(enforcer.held(now)->size(), 2U);
  const auto later = enforcer.held(now + 90min);
  ASSERT_EQ(later->size(), 1U);
  EXPECT_EQ(later->front().scope, Scope::full);
  EXPECT_EQ(later->front().until, now + 2h);
}

TEST(DryRun, ReconcilesToWhatIsIntended) {
  DryRun enforcer;
  Intended intended;
  intended.bans = {ban("192.0.2.1", Scope::quiet, now + 1h), ban("192.0.2.2", Scope::quiet, now + 1h)};
  const auto first = enforcer.reconcile(intended, Enforcer::Extra::remove, now);
  EXPECT_TRUE(first->rebuilt);
  EXPECT_EQ(first->added, 2U);
  intended.bans->pop_back();
  EXPECT_EQ(enforcer.reconcile(intended, Enforcer::Extra::keep, now)->removed, 0U);
  EXPECT_EQ(enforcer.reconcile(intended, Enforcer::Extra::remove, now)->removed, 1U);
  intended.bans.reset();
  const auto untouched = enforcer.reconcile(intended, Enforcer::Extra::remove, now);
  EXPECT_FALSE(untouched->rebuilt);
  EXPECT_EQ(enforcer.held(now)->size(), 1U);
  const Ban asked[] = {ban("192.0.2.1", Scope::quiet, now), ban("192.0.2.2", Scope::quiet, now)};
  EXPECT_EQ(enforcer.hits(asked)->size(), 1U);
  ASSERT_TRUE(enforcer.lift_everything({}));
  EXPECT_TRUE(enforcer.held(now)->empty());
}

}  // namespace
}  // namespace palang
