#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "engine/judge.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;

struct ModelDecision {
  Prefix prefix;
  WallTime from;
  WallTime until;
  int n = 0;
  friend auto operator<=>(const ModelDecision&, const ModelDecision&) = default;
};

// "The default policy" and "classic" of the design, sentence by sentence and without care for speed.
class Model {
 public:
  explicit Model(bool classic) : classic_(classic) {}

  // The decision that the event leads to, if any.
  std::optional<ModelDecision> observe(const Address& source, WallTime at) {
    let_end(at);
    ModelDecision* ban = nullptr;
    for (ModelDecision& one : active_)
      if (one.prefix.contains(source) && (ban == nullptr || one.prefix.bits() > ban->prefix.bits())) ban = &one;
    if (ban != nullptr) {
      if (!classic_) ban->until = std::max(ban->until, at + doubled(2, ban->n));
      return {};
    }
    const Prefix subject = classic_ ? Prefix::of_length(source, source.is_v4() ? 24 : 64) : widened(source, at);
    int& n = earlier_[subject];
    if (ended_.contains(subject) && ended_[subject] + one_day * 90 <= at) n = 0;
    ModelDecision decision{subject, at, at + (classic_ ? one_day * 3 : doubled(1, n)), n};
    ++n;
    for (const ModelDecision& one : active_)
      if (subject.contains(one.prefix) && one.until <= decision.until) ended_[one.prefix] = at;
    std::erase_if(
        active_, [&](const ModelDecision& one) { return subject.contains(one.prefix) && one.until <= decision.until; });
    active_.push_back(decision);
    return decision;
  }

  std::vector<ModelDecision> active(WallTime now) {
    let_end(now);
    std::ranges::sort(active_);
    return active_;
  }

 private:
  // "1 day × 2ⁿ, at most 28 days"
  static Duration doubled(int days, int n) { return std::min(one_day * days * (1 << std::min(n, 10)), one_day * 28); }

  void let_end(WallTime now) {
    for (const ModelDecision& one : active_)
      if (one.until <= now) ended_[one.prefix] = one.until;
    std::erase_if(active_, [&](const ModelDecision& one) { return one.until <= now; });
  }

  // "its /24 once 4 distinct offenders of it fell within 28 days (IPv6: /64, then /56, then /48 by distinct children)"
  Prefix widened(const Address& source, WallTime at) {
    Prefix subject = Prefix::of(source);
    const std::vector<unsigned> lengths =
        source.is_v4() ? std::vector<unsigned>{24} : std::vector<unsigned>{64, 56, 48};
    for (const unsigned length : lengths) {
      const Prefix network = Prefix::of_length(source, length);
      auto& children = fallen_[network];
      children[subject] = at;
      const auto recent =
          std::ranges::count_if(children, [&](const auto& one) { return at - one.second < one_day * 28; });
      if (recent < 4) break;
      subject = network;
    }
    return subject;
  }

  bool classic_;
  std::vector<ModelDecision> active_;
  std::map<Prefix, int> earlier_;
  std::map<Prefix, WallTime> ended_;
  std::map<Prefix, std::map<Prefix, WallTime>> fallen_;
};

// Few networks with few hosts, so that they come again; bursts, and pauses of weeks.
Address some_source(std::mt19937_64& random) {
  if (random() % 3 > 0) return Address::v4(static_cast<uint32_t>(0xc6120000 | (random() % 5) << 8 | (random() % 9)));
  return Address::from_words(0x20010db800000000 | (random() % 2) << 16 | (random() % 6) << 8 | random() % 5,
                             random() % 6);
}

Duration some_pause(std::mt19937_64& random) {
  switch (random() % 200) {
    case 0: return one_day * static_cast<int64_t>(random() % 30);
    case 1: return one_day * static_cast<int64_t>(random() % 120);
    default: return Duration{1s} * static_cast<int64_t>(random() % 7200);
  }
}

class ReferenceModel : public testing::TestWithParam<bool> {};

TEST_P(ReferenceModel, JudgesTheSame) {
  const bool classic = GetParam();
  PolicySettings policy;
  if (classic) policy.ban = classic_profile();
  size_t decisions = 0;
  int most_n = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::mt19937_64 random(seed);
    const auto looks = seed % 2 == 0 ? Decider::Looks::none : Decider::Looks::kernel_counters;
    Judge judge(policy, HashSeed{seed, seed + 1}, looks);
    Model model(classic);
    WallTime now = noon;
    for (int step = 0; step < 4000; ++step) {
      now += some_pause(random);
      const Address source = some_source(random);
      std::vector<Change> changes;
      std::vector<ActiveBans::Slot> unused;
      judge.decider().advance(now, changes, unused);
      changes.clear();
      const Verdict verdict = judge.observe(make::refused(source, now), now, changes);
      const auto wanted = model.observe(source, now);
      ASSERT_EQ(verdict, wanted ? Verdict::decided : Verdict::stopped)
          << "seed " << seed << ", step " << step << ", " << source.text() << " at " << format_utc(now);
      if (!wanted) continue;
      ++decisions;
      most_n = std::max(most_n, wanted->n);
      const Decision& made = changes.back().decision;
      ASSERT_EQ((ModelDecision{made.prefix, made.from, made.until, made.repeat}), *wanted)
          << "seed " << seed << ", step " << step << ": " << made.prefix.text() << " until " << format_utc(made.until)
          << " instead of " << wanted->prefix.text() << " until " << format_utc(wanted->until);
      ASSERT_EQ(made.scope, classic ? Scope::full : Scope::quiet);
    }
    std::vector<ModelDecision> active;
    judge.decider().active().for_each([&](ActiveBans::Slot slot) {
      const Decision one = judge.decider().active().decision(slot);
      active.push_back({one.prefix, one.from, one.until, one.repeat});
    });
    std::ranges::sort(active);
    EXPECT_EQ(active, model.active(now)) << "seed " << seed;
  }
  EXPECT_GT(decisions, 1000U);
  EXPECT_GT(most_n, 4) << "the streams must reach the longest bans";
}

INSTANTIATE_TEST_SUITE_P(Policies, ReferenceModel, testing::Values(false, true),
                         [](const auto& policy) { return policy.param ? "Classic" : "Default"; });

}  // namespace
}  // namespace palang
