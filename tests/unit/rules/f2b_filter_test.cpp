#include "rules/f2b_filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/make.hpp"
#include "unit/rules/f2b_tree.hpp"

namespace palang::f2b {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr WallTime now = make::noon;

Filter filter_of(Definition definition, Filter::Options options = {}) {
  auto filter = Filter::compile(definition, options);
  EXPECT_TRUE(filter.has_value()) << filter.error().text;
  return std::move(*filter);
}

Filter filter_by(std::vector<std::string> failregex, std::vector<std::string> ignoreregex = {}) {
  Definition definition;
  definition.failregex = std::move(failregex);
  definition.ignoreregex = std::move(ignoreregex);
  return filter_of(std::move(definition));
}

std::vector<FilterFailure> observe(Filter& filter, std::initializer_list<std::string_view> lines) {
  std::vector<FilterFailure> failures;
  for (const std::string_view line : lines) filter.observe(line, now, failures);
  return failures;
}

// An ssh-like filter: the session is the pid; the address stands in another line than the failure.
Definition sessions_definition() {
  Definition definition;
  definition.prefregex = R"(^ d\[<F-MLFID>\d+</F-MLFID>\]: <F-CONTENT>.+</F-CONTENT>$)";
  definition.failregex = {
      "^wrong password for <F-USER>\\S+</F-USER>$",
      "^<F-NOFAIL>connect</F-NOFAIL> from <ADDR>$",
      "^<F-MLFGAINED>welcome</F-MLFGAINED> <F-USER>\\S+</F-USER>$",
      "^<F-NOFAIL><F-MLFFORGET>bye</F-MLFFORGET></F-NOFAIL>$",
      "^gone <F-MLFFORGET>away</F-MLFFORGET> from <ADDR>$",
  };
  return definition;
}

TEST(F2bFilter, FindsAddressUserAndTime) {
  Filter filter = filter_by({"^ login of <F-USER>.*</F-USER> failed from <HOST>$"});
  const auto failures = observe(filter, {"2025-01-12 10:00:00Z login of me failed from 192.0.2.7", "other"});
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].source, make::prefix("192.0.2.7"));
  EXPECT_EQ(failures[0].user, "me");
  EXPECT_EQ(failures[0].at, make::utc("2025-01-12T10:00:00Z"));
  EXPECT_THAT(failures[0].lines, ElementsAre("2025-01-12 10:00:00Z login of me failed from 192.0.2.7"));
}

TEST(F2bFilter, NamesAreNotResolvedButTold) {
  Filter filter = filter_by({"failed from <HOST>$"});
  const auto failures = observe(filter, {"failed from host.example.org", "failed from 999.0.0.1"});
  ASSERT_THAT(failures, SizeIs(2));
  EXPECT_EQ(failures[0].id, "host.example.org");
  EXPECT_EQ(failures[0].source, std::nullopt);
  EXPECT_EQ(failures[1].source, std::nullopt);
}

TEST(F2bFilter, ASubnetIsAPrefix) {
  Filter filter = filter_by({"from <SUBNET>$"});
  const auto failures = observe(filter, {"from 192.0.2.9/24", "from 192.0.2.9/99"});
  EXPECT_EQ(failures.at(0).source, make::prefix("192.0.2.0/24"));
  EXPECT_EQ(failures.at(1).source, std::nullopt);
}

TEST(F2bFilter, IgnoredLinesAreNoFailures) {
  Filter filter = filter_by({"fail <HOST>"}, {"from monitoring$"});
  EXPECT_THAT(observe(filter, {"fail 192.0.2.1 from monitoring", "fail 192.0.2.1"}), SizeIs(1));
}

TEST(F2bFilter, TheFirstPatternThatMatchesEndsTheSearch) {
  EXPECT_EQ(observe(*std::make_unique<Filter>(filter_by({"a <HOST>", "a+ <HOST>"})), {"a 192.0.2.1"}).size(), 1U);
}

TEST(F2bFilter, UndatedLinesAreAsOldAsThoseBefore) {
  Filter filter = filter_by({"fail <HOST>"});
  const auto failures = observe(filter, {"fail 192.0.2.1", "2025-01-12 11:59:30Z x", "fail 192.0.2.2"});
  ASSERT_THAT(failures, SizeIs(2));
  EXPECT_EQ(failures[0].at, now);
  EXPECT_EQ(failures[1].at, make::utc("2025-01-12T11:59:30Z"));
}

TEST(F2bSessions, AFailureWaitsForItsAddress) {
  Filter filter = filter_of(sessions_definition());
  const auto failures = observe(filter, {"10:00:00 d[1]: wrong password for a", "10:00:00 d[2]: connect from 192.0.2.2",
                                         "10:00:01 d[1]: gone away from 192.0.2.1"});
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].source, make::prefix("192.0.2.1"));
  EXPECT_EQ(failures[0].attempts, 2U);
  EXPECT_EQ(failures[0].user, "a");
}

TEST(F2bSessions, OneThatIsLoggedInIsForgivenUnlessItTriedSeveralAccounts) {
  Filter filter = filter_of(sessions_definition());
  EXPECT_THAT(
      observe(filter, {"10:00:00 d[1]: connect from 192.0.2.1", "10:00:01 d[1]: welcome a", "10:00:02 d[1]: bye"}),
      IsEmpty());
  const auto failures = observe(filter, {"10:00:00 d[2]: connect from 192.0.2.2", "10:00:01 d[2]: wrong password for a",
                                         "10:00:02 d[2]: welcome b"});
  ASSERT_FALSE(failures.empty());
  EXPECT_EQ(failures.back().source, make::prefix("192.0.2.2"));
  EXPECT_THAT(failures.back().users, ElementsAre("a", "b"));
}

TEST(F2bSessions, AreForgottenWhenTheyEndOrGrowOld) {
  Filter filter = filter_of(sessions_definition());
  EXPECT_THAT(observe(filter, {"10:00:00 d[1]: connect from 192.0.2.1", "10:00:01 d[1]: bye",
                               "10:00:02 d[1]: wrong password for a"}),
              IsEmpty());
  EXPECT_THAT(observe(filter, {"10:00:00 d[3]: connect from 192.0.2.1", "10:06:00 d[3]: wrong password for a"}),
              IsEmpty());
}

TEST(F2bSessions, AreBoundedAndCounted) {
  Filter filter = filter_of(sessions_definition(), {.max_sessions = 100});
  std::vector<FilterFailure> failures;
  for (int session = 0; session < 1'000; ++session)
    filter.observe("10:00:00 d[" + std::to_string(session) + "]: connect from 192.0.2.1", now, failures);
  EXPECT_EQ(filter.counters().sessions_evicted, 900U);
  filter.observe("10:00:01 d[999]: wrong password for a", now, failures);
  EXPECT_THAT(failures, SizeIs(1));
}

TEST(F2bSessions, ThatAreOverMakeRoom) {
  Filter filter = filter_of(sessions_definition(), {.max_sessions = 200});
  std::vector<FilterFailure> failures;
  for (int session = 0; session < 900; ++session) {
    const std::string minute = std::to_string(10 + session / 20);  // 20 sessions a minute, each over after five
    filter.observe("09:" + minute + ":00 d[" + std::to_string(session) + "]: connect from 192.0.2.1", now, failures);
  }
  EXPECT_EQ(filter.counters().sessions_evicted, 0U);
}

TEST(F2bLines, AreSearchedTogetherAndLeaveTheBufferWhenMatched) {
  Definition definition;
  definition.maxlines = 3;
  definition.failregex = {"^ begin <HOST><SKIPLINES>^ failed$"};
  Filter filter = filter_of(std::move(definition));
  const auto failures =
      observe(filter, {"10:00:00 begin 192.0.2.1", "10:00:01 noise", "10:00:02 failed", "10:00:03 failed"});
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].attempts, 2U);
  EXPECT_THAT(failures[0].lines, ElementsAre("10:00:00 begin 192.0.2.1", "10:00:02 failed"));
}

TEST(F2bLines, LongOnesAreCut) {
  Filter filter = filter_by({"fail <HOST>"});
  EXPECT_THAT(observe(filter, {std::string(1'000'000, 'x') + "fail 192.0.2.1", "fail 192.0.2.1"}), SizeIs(1));
  EXPECT_EQ(filter.counters().cut_lines, 1U);
}

TEST(F2bFilter, ErrorsNameTheFilterAndThePattern) {
  Definition definition;
  definition.name = "broken";
  definition.failregex = {"fine <HOST>", "broken (<HOST>"};
  EXPECT_THAT(Filter::compile(definition).error().text, HasSubstr("filter broken: failregex: the pattern \"broken ("));
  definition.failregex = {"nobody"};
  EXPECT_THAT(Filter::compile(definition).error().text, HasSubstr("no <HOST>"));
  definition.failregex = {};
  definition.datepattern = {"%Q"};
  EXPECT_THAT(Filter::compile(definition).error().text, HasSubstr("%Q"));
}

TEST(F2bFilter, IsLoadedWithItsOptions) {
  make::Fail2banTree tree;
  tree.file("filter.d/x.conf",
            "[Definition]\n"
            "failregex = <mdre-<mode>>\n"
            "mdre-normal = ^ normal <HOST>\n"
            "mdre-extra = ^ extra <HOST>\n"
            "[Init]\nmode = normal\n");
  auto normal = Filter::load(tree.root(), "x", Filter::LogKind::file, {});
  auto extra = Filter::load(tree.root(), "x[mode=extra]", Filter::LogKind::file, {});
  ASSERT_TRUE(normal && extra);
  EXPECT_THAT(observe(*normal, {"10:00:00 normal 192.0.2.1", "10:00:00 extra 192.0.2.1"}), SizeIs(1));
  EXPECT_EQ(observe(*extra, {"10:00:00 normal 192.0.2.1", "10:00:00 extra 192.0.2.2"}).at(0).id, "192.0.2.2");
  EXPECT_FALSE(Filter::load(tree.root(), "missing", Filter::LogKind::file, {}).has_value());
  EXPECT_FALSE(Filter::load(tree.root(), "../x", Filter::LogKind::file, {}).has_value());
}

TEST(F2bJournal, EntriesHaveThePrefixThatFail2banGivesThem) {
  EXPECT_EQ(journal_text({.host = "web1", .identifier = "sshd", .pid = "42", .message = "Failed\nx"}),
            "web1 sshd[42]: Failed\\nx");
  EXPECT_EQ(journal_text({.host = "", .identifier = "", .pid = "", .message = "x"}), "x");
  Filter filter = filter_by({R"(^\S+ d\[\d+\]: fail <HOST>$)"});
  std::vector<FilterFailure> failures;
  filter.observe_entry("web1 d[1]: fail 192.0.2.1", now, failures);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].at, now);
}

}  // namespace
}  // namespace palang::f2b
