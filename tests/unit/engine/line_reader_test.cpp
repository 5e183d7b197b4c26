#include "engine/line_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/judge.hpp"
#include "engine/survey.hpp"
#include "unit/make.hpp"
#include "unit/rules/rules_of.hpp"

namespace palang {
namespace {

using make::noon;
using testing::SizeIs;

constexpr std::string_view two_rules = R"(
[[rule]]
name = "reader-login"
about = "Failed logins"
programs = ["myapp"]
patterns = ['''^login failed for <USER> from <ADDR>$''']
after = 3
[[rule]]
name = "reader-anything"
about = "Anything that fails"
programs = ["myapp"]
patterns = ['''^login failed for <ANY> from <ADDR>$''']
after = 1
)";

class LinesOfServices : public testing::Test {
 protected:
  void SetUp() override {
    LoadedRules loaded = rules_of(std::string(two_rules));
    ASSERT_THAT(loaded.faults, testing::IsEmpty());
    book.rules = RuleSet::compile(loaded.rules).value();
    for (const RuleDefinition& rule : loaded.rules) policy.rules.push_back(rule.settings);
  }

  static std::string line(std::string_view message) {
    return format_utc(noon) + " web1 myapp[42]: " + std::string(message);
  }

  std::vector<Event> events_in(const std::string& line) {
    const RawLine raw{line, Framing::syslog, noon + 1h};
    std::vector<Event> events;
    (void)reader.by_rules(raw, reader.parse(raw).fate, book, events);
    return events;
  }

  std::string text;  // of the last line: events point into it
  RuleBook book;
  PolicySettings policy;
  LineReader reader{noon};
};

TEST_F(LinesOfServices, ThatRsyslogCountsAreSoManyAttempts) {
  const auto events = events_in(text = line("message repeated 4 times: [ login failed for root from 192.0.2.1]"));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].attempts, 4U);
  EXPECT_EQ(events[0].user, "root");
  EXPECT_EQ(events[0].source, make::address("192.0.2.1"));
  EXPECT_EQ(events_in(text = line("login failed for root from 192.0.2.1"))[0].attempts, 1U) << "not the next";
  EXPECT_THAT(events_in(text = line("message repeated x times: [ login failed for root from 192.0.2.1]")), SizeIs(0));
}

// Both rules count it; but it is one attempt, and what led to a ban is no knock that would prolong it.
TEST_F(LinesOfServices, ThatTwoRulesMatchAreOneAttempt) {
  auto events = events_in(text = line("login failed for root from 192.0.2.1"));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_FALSE(events[0].echo);
  EXPECT_TRUE(events[1].echo);

  Judge judge(policy, HashSeed{}, Decider::Looks::none);
  std::vector<Change> changes;
  std::swap(events[0].rule, events[1].rule);  // the one that bans comes first
  for (const Event& event : events) (void)judge.observe(event, noon, changes);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(judge.count(Verdict::decided), 1U);
  EXPECT_EQ(judge.count(Verdict::stopped), 0U);
  changes.clear();
  std::vector<ActiveBans::Slot> looks;
  judge.decider().advance(noon + one_day, changes, looks);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].kind, ChangeKind::ended) << "after the one day that it was to last";
}

TEST_F(LinesOfServices, AreOneEventInTheBooksOfAReplay) {
  Survey survey({{"default", policy}}, noon, std::move(book));
  const std::string failed = line("login failed for root from 192.0.2.1");
  Source::Batch batch;
  for (int i = 0; i < 3; ++i) batch.lines.push_back({failed, Framing::syslog, noon + 1h});
  survey.observe(batch);
  const SurveyResult result = survey.finish();
  EXPECT_EQ(result.lines, 3U);
  EXPECT_EQ(result.events, 3U);
  ASSERT_THAT(result.top_sources, SizeIs(1));
  EXPECT_EQ(result.top_sources[0].events, 3U);
  ASSERT_THAT(result.rules, SizeIs(2));
  EXPECT_EQ(result.rules[0].events, 3U) << "each rule has seen all of them";
  EXPECT_EQ(result.rules[1].events, 3U);
  EXPECT_EQ(result.policies[0].stopped, 2U);
}

}  // namespace
}  // namespace palang
