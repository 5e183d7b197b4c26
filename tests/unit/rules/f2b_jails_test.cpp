#include "rules/f2b_jails.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/f2b_report.hpp"
#include "unit/make.hpp"
#include "unit/rules/f2b_tree.hpp"

namespace palang::f2b {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class F2bJails : public testing::Test {
 protected:
  void SetUp() override {
    tree_.file("filter.d/web.conf", "[Definition]\nfailregex = ^ bad <ADDR>$\n")
        .file("filter.d/sshd.conf",
              "[Definition]\nfailregex = ^ fail <HOST>$\njournalmatch = _SYSTEMD_UNIT=ssh.service\nmaxlines = 2\n")
        .file("access.log", "");
  }
  Jails read(std::string_view jail_local) {
    tree_.file("jail.conf",
               "[DEFAULT]\nenabled = false\nbackend = auto\nfilter = %(__name__)s\nmaxretry = 5\nbantime = 10m\n"
               "logdir = " +
                   tree_.root() + "\n[web]\nlogpath = %(logdir)s/*.log\nport = http\n[sshd]\nbackend = systemd\n");
    tree_.file("jail.local", jail_local);
    auto jails = read_jails(tree_.root());
    EXPECT_TRUE(jails.has_value());
    return std::move(*jails);
  }
  make::Fail2banTree tree_;
};

TEST_F(F2bJails, AreReadWithAllTheirOptions) {
  const Jails jails = read(
      "[DEFAULT]\nignoreip = 127.0.0.1/8 ::1, 198.18.0.9/255.255.255.0 office.example.org\n"
      "[web]\nenabled = true\nmaxretry = 3\nfindtime = 1h 30m\nbantime = -1\nbantime.increment = yes\n"
      "bantime.multipliers = 1 5 30\nbantime.maxtime = 5w\nfailregex = %(known/failregex)s\n    ^ worse <ADDR>$\n"
      "action = drop[port=\"http,https\"]\n         mail\n");
  EXPECT_THAT(jails.disabled, ElementsAre("sshd"));
  ASSERT_THAT(jails.enabled, SizeIs(1));
  const Jail& jail = jails.enabled[0];
  EXPECT_EQ(jail.problem, "");
  EXPECT_THAT(jail.complaints, IsEmpty());
  EXPECT_EQ(jail.max_retry, 3U);
  EXPECT_EQ(jail.find_time, Duration{90min});
  EXPECT_EQ(jail.ban_time, std::nullopt);
  EXPECT_TRUE(jail.increment.enabled);
  EXPECT_THAT(jail.increment.multipliers, ElementsAre(1, 5, 30));
  EXPECT_EQ(jail.increment.at_most, Duration{one_day * 35});
  EXPECT_THAT(jail.ignored,
              ElementsAre(make::prefix("127.0.0.0/8"), make::prefix("::1"), make::prefix("198.18.0.0/24")));
  EXPECT_THAT(jail.ignored_names, ElementsAre("office.example.org"));
  EXPECT_THAT(jail.definition.failregex, ElementsAre("^ bad <ADDR>$", "^ worse <ADDR>$"));
  ASSERT_THAT(jail.logs, SizeIs(1));
  EXPECT_EQ(jail.logs[0].pattern, tree_.path("*.log"));
  EXPECT_EQ(jail.logs[0].files, 1U);
  ASSERT_THAT(jail.actions, SizeIs(2));
  EXPECT_EQ(jail.actions[0].options.at("port"), "http,https");
}

TEST_F(F2bJails, OfTheJournalNeedNoFiles) {
  const Jails jails = read("[sshd]\nenabled = true\n");
  ASSERT_THAT(jails.enabled, SizeIs(1));
  EXPECT_TRUE(jails.enabled[0].journal);
  EXPECT_THAT(jails.enabled[0].definition.journalmatch, ElementsAre("_SYSTEMD_UNIT=ssh.service"));
}

TEST_F(F2bJails, ThatAreBrokenSayWhereAndTheOthersGoOn) {
  const Jails jails = read(
      "[nofilter]\nenabled = true\nlogpath = /x\n"
      "[badref]\nenabled = true\nfilter = web[mode\nlogpath = /x\n"
      "[nolog]\nenabled = true\nfilter = web\n"
      "[missing]\nenabled = true\nfilter = web\nlogpath = %(nowhere)s\n"
      "[commanded]\nenabled = true\nfilter = web\nlogpath = /x\nignorecommand = /bin/true <ip>\n"
      "[web]\nenabled = true\nmaxretry = many\nmaxretyr = 3\nfindtime = soon\n");
  ASSERT_THAT(jails.enabled, SizeIs(6));
  const auto find = [&](std::string_view name) {
    for (const Jail& jail : jails.enabled)
      if (jail.name == name) return jail;
    std::abort();
  };
  EXPECT_THAT(find("nofilter").problem, HasSubstr("there is no " + tree_.path("filter.d/nofilter.conf")));
  EXPECT_THAT(find("badref").problem, HasSubstr("jail.local:6: filter: \"web[mode\" lacks the ]"));
  EXPECT_THAT(find("nolog").problem, HasSubstr("has no logpath"));
  EXPECT_THAT(find("missing").problem, HasSubstr("jail.local:14: option \"logpath\" of [missing]"));
  EXPECT_THAT(find("commanded").problem, HasSubstr("jail.local:19: ignorecommand isn't run"));
  const Jail web = find("web");
  EXPECT_EQ(web.problem, "");
  EXPECT_EQ(web.max_retry, 5U);
  EXPECT_THAT(web.complaints, Contains(HasSubstr("jail.local:22: maxretry = \"many\"")));
  EXPECT_THAT(web.complaints, Contains(HasSubstr("has no option \"maxretyr\"; did you mean \"maxretry\"?")));
  EXPECT_THAT(web.complaints, Contains(HasSubstr("jail.local:24: findtime = \"soon\" is no time; 10m is used")));
}

TEST_F(F2bJails, NoDirectoryIsAnError) {
  EXPECT_FALSE(read_jails("/nonexistent/fail2ban").has_value());
}

TEST_F(F2bJails, AReportSaysWhatTheyBecomeAndWhatIsLost) {
  const Jails jails = read(
      "[web]\nenabled = true\nmaxretry = 3\n"
      "[sshd]\nenabled = true\nbantime = -1\nignoreip = office.example.org\naction = iptables\nfailregex = fail "
      "<HOST>\n"
      "[broken]\nenabled = true\nfilter = web\nlogpath = /x\nfailregex = (<HOST>\n");
  ASSERT_THAT(jails.enabled, SizeIs(3));
  const JailReport web = report_on(jails.enabled[0]);
  EXPECT_TRUE(web.carried_over);
  EXPECT_THAT(web.becomes, ElementsAre("3 failures within 10m by the filter web (1 pattern) in " + tree_.path("*.log") +
                                       ": banned for 10m"));
  EXPECT_THAT(web.differs, ElementsAre("port = http: palang bans on every port"));
  EXPECT_THAT(web.may_be_tricked, IsEmpty());
  const JailReport sshd = report_on(jails.enabled[1]);
  EXPECT_THAT(sshd.differs, Contains(HasSubstr("bantime = -1")));
  EXPECT_THAT(sshd.differs, Contains(HasSubstr("office.example.org")));
  EXPECT_THAT(sshd.differs, Contains(HasSubstr("the action iptables isn't run")));
  EXPECT_THAT(sshd.may_be_tricked, ElementsAre(HasSubstr("\"fail <HOST>\": it does not begin with ^")));
  const JailReport broken = report_on(jails.enabled[2]);
  EXPECT_FALSE(broken.carried_over);
  EXPECT_THAT(broken.differs, ElementsAre(HasSubstr("missing closing parenthesis")));
  EXPECT_THAT(broken.differs, ElementsAre(HasSubstr(tree_.path("jail.local") + ":")));
}

TEST(F2bTricks, AreFoundBeforeTheAddress) {
  EXPECT_EQ(why_tricked(R"(^login failed for <F-USER>[^>]*</F-USER>> from <HOST>$)", ""), "");
  EXPECT_NE(why_tricked(R"(^login failed for <F-USER>.*</F-USER> from <HOST>)", ""), "");
  EXPECT_NE(why_tricked(R"(^.*from <HOST>)", ""), "");
  EXPECT_EQ(why_tricked(R"(^\S+ \S+: from <HOST>)", R"(\S+ \S+: )"), "");
}

TEST(F2bTime, IsReadWithUnits) {
  EXPECT_EQ(read_time("600"), Duration{600s});
  EXPECT_EQ(read_time("10m"), Duration{10min});
  EXPECT_EQ(read_time("1d12h"), Duration{36h});
  EXPECT_EQ(read_time("1 hour + 30min"), Duration{90min});
  EXPECT_EQ(read_time("2w"), Duration{one_day * 14});
  EXPECT_EQ(read_time("1year-6mo"), Duration{15'778'800s});
  EXPECT_EQ(read_time("-1"), Duration{-1s});
  EXPECT_EQ(read_time(""), std::nullopt);
  EXPECT_EQ(read_time("soon"), std::nullopt);
  EXPECT_EQ(read_time("5 parsecs"), std::nullopt);
}

TEST_F(F2bJails, AMisspeltOptionOfAFilterIsNamed) {
  tree_.file("filter.d/web.conf",
             "[Definition]\nfailregex = %(_words)s <ADDR>$\n_words = ^ bad\nfailregx = ^ worse <ADDR>$\n");
  const Jails jails = read("[web]\nenabled = true\n");
  ASSERT_THAT(jails.enabled, SizeIs(1));
  EXPECT_THAT(jails.enabled[0].definition.complaints,
              ElementsAre(HasSubstr(
                  "web.conf:4: [Definition] has \"failregx\", which nothing uses; did you mean \"failregex\"?")));
}

}  // namespace
}  // namespace palang::f2b
