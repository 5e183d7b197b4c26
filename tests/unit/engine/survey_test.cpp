#include "engine/survey.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>

#include "unit/make.hpp"

namespace palang {
namespace {

using make::noon;
using make::utc;

std::vector<Survey::Policy> the_three() {
  PolicySettings classic;
  classic.ban = classic_profile();
  PolicySettings off;
  off.detect.blocked.enabled = false;
  off.detect.portscan.enabled = false;
  return {{"classic", classic}, {"default", PolicySettings{}}, {"off", off}};
}

std::string v4(auto network, auto host) {
  return "198.18." + std::to_string(network) + "." + std::to_string(host);
}
std::string v6(auto site, auto host) {
  return "2001:db8:0:" + std::to_string(site) + "::" + std::to_string(host);
}

std::string line(WallTime at, std::string_view source, int port = 8083) {
  return format_utc(at) + " web1 kernel: Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC= SRC=" + std::string(source) +
         " DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP SPT=64490 DPT=" + std::to_string(port) +
         " WINDOW=50169 RES=0x00 SYN URGP=0";
}

SurveyResult survey(const std::vector<std::string>& lines, size_t per_batch = 1000) {
  Survey survey(the_three(), noon);
  for (size_t from = 0; from < lines.size(); from += per_batch) {
    Source::Batch batch;
    for (size_t i = from; i < std::min(from + per_batch, lines.size()); ++i)
      batch.lines.push_back({lines[i], Framing::syslog, noon + one_day * 1000});
    survey.observe(batch);
  }
  return survey.finish();
}

// An address attacks at 0 h, 12 h (stopped; the end moves to 12 h + 2 d), 72 h (a second ban, of 2 d) and 96 h
// (stopped); another, of another network, once, at 48 h, banned for one day.
const std::vector<std::string> by_hand{
    line(noon, "203.0.113.9"),       line(noon + 12h, "203.0.113.9"), line(noon + 48h, "198.18.0.1", 22),
    line(noon + 72h, "203.0.113.9"), line(noon + 96h, "203.0.113.9"),
};

TEST(Survey, DefaultPolicyByHand) {
  const SurveyResult result = survey(by_hand);
  EXPECT_EQ(result.lines, 5U);
  EXPECT_EQ(result.events, 5U);
  EXPECT_EQ(result.sources, 2U);
  EXPECT_EQ(result.first, noon);
  EXPECT_EQ(result.last, noon + 96h);
  EXPECT_DOUBLE_EQ(result.minutes(), 96 * 60);
  EXPECT_DOUBLE_EQ(result.per_minute_before(), 5.0 / (96 * 60));

  const SimulationResult& ours = result.policies.at(1);
  EXPECT_EQ(ours.name, "default");
  EXPECT_EQ(ours.stopped, 2U);
  EXPECT_DOUBLE_EQ(result.stopped_percent_of_later(ours), 100.0 * 2 / 3);
  EXPECT_DOUBLE_EQ(result.per_minute_after(ours), 3.0 / (96 * 60));
  // Bans in force: 0–60 h and 72–96 h the first, 48–72 h the other: 60 + 24 + 24 = 108 hours of 96; two at 48–60 h.
  EXPECT_DOUBLE_EQ(ours.list_mean, 108.0 / 96);
  EXPECT_EQ(ours.list_peak, 2U);
  EXPECT_DOUBLE_EQ(result.addresses_per_attacker(ours), 1.0);
}

TEST(Survey, ClassicPolicyByHand) {
  const SurveyResult result = survey(by_hand);
  const SimulationResult& classic = result.policies.at(0);
  EXPECT_EQ(classic.stopped, 2U) << "at 12 h and 96 h: the ban of 0 h is over at 72 h exactly";
  // Each /24 for 72 h: 0–72, 48–96 (cut by the end of the log), 72–96.
  EXPECT_DOUBLE_EQ(classic.list_mean, (72.0 + 48 + 24) / 96);
  EXPECT_EQ(classic.list_peak, 2U);
  EXPECT_DOUBLE_EQ(result.addresses_per_attacker(classic), 256.0);
}

TEST(Survey, OffStopsNothing) {
  const SurveyResult result = survey(by_hand);
  const SimulationResult& off = result.policies.at(2);
  EXPECT_EQ(off.stopped, 0U);
  EXPECT_DOUBLE_EQ(off.list_mean, 0);
  EXPECT_EQ(off.list_peak, 0U);
  EXPECT_DOUBLE_EQ(result.per_minute_after(off), result.per_minute_before());
  EXPECT_DOUBLE_EQ(result.addresses_per_attacker(off), 0);
}

TEST(Survey, ANetworksBanCanStopFirstContacts) {
  std::vector<std::string> lines;
  for (int host = 1; host <= 10; ++host)
    lines.push_back(line(noon + Duration{1s} * host, "192.0.2." + std::to_string(host)));
  lines.push_back(line(noon + 1h, "192.0.2.1"));
  const SurveyResult result = survey(lines);
  EXPECT_EQ(result.policies[0].stopped, 10U);
  EXPECT_DOUBLE_EQ(result.stopped_percent_of_later(result.policies[0]), 1000.0) << "10 stopped, 1 later";
  EXPECT_EQ(result.policies[1].stopped, 7U);
  EXPECT_DOUBLE_EQ(result.policies[1].covered, 256) << "the /24 holds the three addresses before it";
  EXPECT_EQ(result.policies[1].list_peak, 3U) << "the network absorbs them";
}

TEST(Survey, Ipv6SitesCountOnceHoweverTheyAreCovered) {
  std::vector<std::string> lines;
  for (int site = 1; site <= 4; ++site)
    for (int host = 1; host <= 4; ++host)
      lines.push_back(line(noon + Duration{1s} * (site * 10 + host), v6(site, host)));
  const SurveyResult result = survey(lines);
  EXPECT_DOUBLE_EQ(result.policies[0].covered, 4) << "four /64";
  EXPECT_DOUBLE_EQ(result.policies[1].covered, 256) << "in the end the /56 they share";
}

TEST(Survey, CountsEveryLineByItsFate) {
  std::vector<std::string> lines = by_hand;
  lines.emplace_back("junk");
  lines.push_back(format_utc(noon) + " web1 sshd[1]: Failed password");
  lines.push_back(line(noon, "1.XXX.XXX.XXX"));
  const SurveyResult result = survey(lines);
  const auto fate = [&](LineFate one) { return result.fates[static_cast<size_t>(one)]; };
  EXPECT_EQ(result.lines, 8U);
  EXPECT_EQ(fate(LineFate::judged), 5U);
  EXPECT_EQ(fate(LineFate::no_header), 1U);
  EXPECT_EQ(fate(LineFate::not_ours), 1U);
  EXPECT_EQ(fate(LineFate::broken), 1U);
}

TEST(Survey, OfNothingIsNothing) {
  const SurveyResult result = survey({});
  EXPECT_EQ(result.events, 0U);
  EXPECT_DOUBLE_EQ(result.stopped_percent_of_later(result.policies[1]), 0);
  EXPECT_DOUBLE_EQ(result.addresses_per_attacker(result.policies[1]), 0);
  EXPECT_DOUBLE_EQ(result.policies[1].list_mean, 0);
  const SurveyResult one = survey({line(noon, "203.0.113.9")});
  EXPECT_DOUBLE_EQ(one.policies[1].list_mean, 1) << "a moment";
  EXPECT_DOUBLE_EQ(one.stopped_percent_of_later(one.policies[1]), 0);
}

TEST(Survey, RanksWhatComesMostOften) {
  std::vector<std::string> lines;
  for (int i = 0; i < 30; ++i) lines.push_back(line(noon, "192.0.2." + std::to_string(i % 3), i % 2 == 0 ? 22 : 8083));
  for (int i = 0; i < 15; ++i) lines.push_back(line(noon, v4(i, 1), 23));
  const SurveyResult result = survey(lines);
  ASSERT_EQ(result.top_ports.size(), 3U);
  EXPECT_EQ(result.top_ports[0].name, "tcp/22") << "ties by name";
  EXPECT_EQ(result.top_ports[0].events, 15U);
  EXPECT_EQ(result.top_ports[1].name, "tcp/23");
  EXPECT_EQ(result.top_prefixes[0].name, "192.0.2.0/24");
  EXPECT_EQ(result.top_prefixes[0].events, 30U);
  ASSERT_EQ(result.top_sources.size(), 10U);
  EXPECT_EQ(result.top_sources[0].name, "192.0.2.0");
  EXPECT_EQ(result.top_sources[3].name, "198.18.0.1");
}

std::string everything(const SurveyResult& result) {
  std::ostringstream text;
  text << std::hexfloat << result.lines << ' ' << result.events << ' ' << result.sources << '\n';
  for (const SimulationResult& policy : result.policies)
    text << policy.name << ' ' << policy.stopped << ' ' << policy.list_mean << ' ' << policy.list_peak << ' '
         << policy.covered << '\n';
  for (const auto* ranking : {&result.top_ports, &result.top_sources, &result.top_prefixes})
    for (const Ranked& one : *ranking) text << one.name << ' ' << one.events << '\n';
  return text.str();
}

TEST(Survey, IsDeterministicAndBlindToHowLinesAreGrouped) {
  std::mt19937_64 random(7);
  std::vector<std::string> lines;
  WallTime at = noon;
  for (int i = 0; i < 5000; ++i) {
    at += Duration{1s} * static_cast<int64_t>(random() % 1800);
    const WallTime disordered = at - Duration{1s} * static_cast<int64_t>(random() % 5);
    const uint64_t host = random() % 40;
    lines.push_back(random() % 4 == 0 ? line(disordered, v6(host % 7, host))
                                      : line(disordered, v4(random() % 12, host), static_cast<int>(random() % 100)));
  }
  const std::string wanted = everything(survey(lines));
  EXPECT_EQ(everything(survey(lines)), wanted);
  for (const size_t per_batch : {1UL, 127UL, 128UL, 129UL, 5000UL})
    EXPECT_EQ(everything(survey(lines, per_batch)), wanted) << per_batch << " lines a batch";
}

TEST(Survey, SaysWhatTheDaemonWouldHaveDecided) {
  PolicySettings policy;
  Judge daemon(policy, HashSeed::random(), Decider::Looks::none);
  std::vector<Change> changes;
  std::vector<ActiveBans::Slot> unused;
  std::vector<std::string> lines;
  for (int i = 0; i < 2000; ++i) {
    const WallTime at = noon + Duration{10min} * i;
    const std::string source = v4(i % 5, i * i % 23);
    lines.push_back(line(at, source));
    daemon.decider().advance(at, changes, unused);
    daemon.observe(make::refused(source, at), at, changes);
  }
  EXPECT_EQ(survey(lines).policies[1].stopped, daemon.count(Verdict::stopped));
}

}  // namespace
}  // namespace palang
