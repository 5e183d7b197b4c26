#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "firewall/csf_filter.hpp"
#include "firewall/csf_import.hpp"
#include "firewall/csf_options.hpp"
#include "firewall/imported_toml.hpp"
#include "unit/make.hpp"

namespace palang::foreign::csf {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// The files of a host.
class Files {
 public:
  Files& with(const std::string& path, std::string text) {
    files_[path] = std::move(text);
    return *this;
  }
  Result<std::string> read(const std::string& path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) return Failure(Error::not_found("read " + path + ": no such file"));
    return found->second;
  }
  Import import() const {
    auto result = import_all({}, make::noon, [this](const std::string& path) { return read(path); });
    if (!result) throw std::runtime_error(result.error().text);
    return std::move(*result);
  }

 private:
  std::map<std::string, std::string> files_{
      {"/etc/csf/csf.conf", "TCP_IN = \"22,80\"\nTCP6_IN = \"22,80\"\nIPV6 = \"1\"\n"}};
};

std::vector<std::string> sentences(const Import& import, Fate fate) {
  std::vector<std::string> texts;
  for (const ReportLine& line : import.report.lines())
    if (line.fate == fate) texts.push_back(report_text(line));
  return texts;
}

const ImportedList* list_of(const Import& import, std::string_view name) {
  for (const ImportedList& list : import.policy.lists)
    if (list.name == name) return &list;
  return nullptr;
}

TEST(CsfFilter, ReadsBothForms) {
  for (const std::string_view text : {"tcp|in|d=22|s=198.51.100.0/24", "tcp:in:d=22:s=198.51.100.0/24"}) {
    const auto filter = parse_filter(text);
    ASSERT_TRUE(filter) << text;
    EXPECT_EQ(filter->protocol, "tcp");
    EXPECT_FALSE(filter->out);
    EXPECT_THAT(filter->ports, ElementsAre(PortRange{22, 22}));
    EXPECT_EQ(filter->source, "198.51.100.0/24");
  }
}

TEST(CsfFilter, ReadsRangesListsAndAccounts) {
  const auto ranges = parse_filter("udp|in|d=53,2000_3000,2999_4000|s=2001:db8::/32");
  ASSERT_TRUE(ranges);
  EXPECT_THAT(ranges->ports, ElementsAre(PortRange{53, 53}, PortRange{2000, 4000}));
  EXPECT_EQ(ranges->source, "2001:db8::/32");
  const auto user = parse_filter("tcp|out|d=80||u=99");
  ASSERT_TRUE(user);
  EXPECT_TRUE(user->out);
  EXPECT_EQ(user->user, "99");
  const auto group = parse_filter("out|d=25|g=mail");
  ASSERT_TRUE(group);
  EXPECT_EQ(group->group, "mail");
  EXPECT_EQ(group->protocol, "tcp");
}

TEST(CsfFilter, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"tcp|in", "tcp|in|d=70000|s=192.0.2.1", "tcp|in|d=22|s=192.0.2.300", "tcp|in|d=9_3|s=192.0.2.1", "sctp|in|d=22",
        "tcp|in|d=22|u=root", "icmp|in|d=22|s=192.0.2.1", "tcp|in|d=0|s=192.0.2.1", "|||",
        "tcp|in|d=22|s=192.0.2.1/33"})
    EXPECT_FALSE(parse_filter(text)) << text;
}

TEST(CsfImport, KeepsThePortsOfEachFamilyApart) {
  const Import import = Files()
                            .with("/etc/csf/csf.conf",
                                  "TCP_IN = \"22,80,30000:35000\"\nTCP6_IN = \"80,8443\"\nUDP_IN = \"53\"\nUDP6_IN = "
                                  "\"53\"\nIPV6 = \"1\"\n")
                            .import();
  EXPECT_THAT(import.policy.tcp_in, ElementsAre("80"));
  EXPECT_THAT(import.policy.udp_in, ElementsAre("53"));
  ASSERT_EQ(import.policy.rules.size(), 2U);
  EXPECT_THAT(import.policy.rules[0].ports, ElementsAre("22", "30000-35000"));
  EXPECT_THAT(import.policy.rules[0].peer, ElementsAre("0.0.0.0/0"));
  EXPECT_THAT(import.policy.rules[1].ports, ElementsAre("8443"));
  EXPECT_THAT(import.policy.rules[1].peer, ElementsAre("::/0"));
}

TEST(CsfImport, NamesFileAndLineOfWhatIsBrokenAndReadsTheRest) {
  const Import import =
      Files()
          .with("/etc/csf/csf.conf",
                "TCP_IN = \"22,70000,x\"\nTCP_INN = \"22\"\nnonsense\nTCP_OUT = 22\nUDP_IN = \"53\"\n")
          .with("/etc/csf/csf.deny", "192.0.2.1\n192.0.2.300\n\n192.0.2.9/24 # wide\n")
          .import();
  const auto faults = sentences(import, Fate::fault);
  EXPECT_THAT(faults, Contains(HasSubstr("/etc/csf/csf.conf:1: TCP_IN: \"70000\" is no port")));
  EXPECT_THAT(faults, Contains(HasSubstr("/etc/csf/csf.conf:2: TCP_INN: CSF has no such option; did it mean TCP_IN?")));
  EXPECT_THAT(faults, Contains(HasSubstr("/etc/csf/csf.conf:3: nonsense")));
  EXPECT_THAT(faults, Contains(HasSubstr("/etc/csf/csf.conf:4: TCP_OUT")));
  EXPECT_THAT(faults, Contains(HasSubstr("/etc/csf/csf.deny:2: 192.0.2.300")));
  EXPECT_THAT(sentences(import, Fate::approximated), Contains(HasSubstr("/etc/csf/csf.deny:4: 192.0.2.9/24")));
  EXPECT_THAT(import.policy.udp_in, ElementsAre("53"));
  const ImportedList* const deny = list_of(import, "csf_deny");
  ASSERT_NE(deny, nullptr);
  ASSERT_EQ(deny->entries.size(), 2U);
  EXPECT_EQ(deny->entries[1].text, "192.0.2.0/24");
  EXPECT_EQ(deny->entries[1].note, "wide");
}

TEST(CsfImport, FollowsIncludesAndStopsWhereTheyGoRound) {
  const Import import =
      Files()
          .with("/etc/csf/csf.allow", "192.0.2.1\nInclude /etc/csf/more.allow\n192.0.2.3\n")
          .with("/etc/csf/more.allow", "192.0.2.2 # the second\nInclude /etc/csf/more.allow\nInclude /gone\n")
          .import();
  const ImportedList* const allow = list_of(import, "csf_allow");
  ASSERT_NE(allow, nullptr);
  EXPECT_EQ(allow->entries.front().text, "192.0.2.1");
  EXPECT_EQ(allow->entries.back().text, "192.0.2.3");
  EXPECT_EQ(allow->entries[1].text, "192.0.2.2");
  EXPECT_EQ(allow->entries[1].note, "the second");
  EXPECT_THAT(sentences(import, Fate::fault), Contains(HasSubstr("too many files include one another")));
  EXPECT_THAT(sentences(import, Fate::fault),
              Contains(HasSubstr("/etc/csf/more.allow:3: Include /gone: there is no such file")));
}

TEST(CsfImport, ShutsNobodyOutAndOpensNothingToEveryone) {
  const Import import = Files()
                            .with("/etc/csf/csf.deny", "0.0.0.0/0\n::/0\ntcp|in|s=0.0.0.0/0\n")
                            .with("/etc/csf/csf.allow", "0.0.0.0/0\n")
                            .with("/etc/csf/csf.ignore", "::/0\n")
                            .import();
  EXPECT_TRUE(import.policy.lists.empty());
  EXPECT_TRUE(import.policy.rules.empty());
  EXPECT_GE(sentences(import, Fate::left_out).size(), 5U);
}

TEST(CsfImport, PutsWhoIsAllowedBeforeWhoIsDenied) {
  const Import import = Files()
                            .with("/etc/csf/csf.conf", "IPV6 = \"1\"\nTCP_IN = \"22\"\nTCP6_IN = \"\"\n")
                            .with("/etc/csf/csf.deny", "tcp|in|d=22|s=192.0.2.0/24\n")
                            .with("/etc/csf/csf.dyndns", "")
                            .with("/etc/csf/csf.allow", "tcp|in|d=22|s=192.0.2.7\n")
                            .import();
  ASSERT_EQ(import.policy.rules.size(), 3U);
  EXPECT_TRUE(import.policy.rules[0].allow);
  EXPECT_FALSE(import.policy.rules[1].allow);
  EXPECT_THAT(import.policy.rules[2].peer, ElementsAre("0.0.0.0/0"));
}

TEST(CsfImport, LetsAFilterOfAllowComeBeforeAnAddressInDeny) {
  const Import apart = Files()
                           .with("/etc/csf/csf.deny", "192.0.2.0/24\n")
                           .with("/etc/csf/csf.allow", "tcp|in|d=22|s=198.51.100.7\n")
                           .import();
  EXPECT_EQ(list_of(apart, "csf_deny")->action, "deny");
  EXPECT_EQ(apart.policy.rules.size(), 1U);
  const Import meeting = Files()
                             .with("/etc/csf/csf.deny", "192.0.2.0/24\ntcp|in|d=25|s=192.0.2.9\n")
                             .with("/etc/csf/csf.allow", "tcp|in|d=22|s=192.0.2.7\n")
                             .import();
  EXPECT_EQ(list_of(meeting, "csf_deny")->action, "none");
  ASSERT_EQ(meeting.policy.rules.size(), 4U);
  EXPECT_TRUE(meeting.policy.rules[0].allow);
  EXPECT_THAT(meeting.policy.rules[1].peer, ElementsAre("list:csf_deny"));
  EXPECT_FALSE(meeting.policy.rules[1].out);
  EXPECT_TRUE(meeting.policy.rules[2].out);
  EXPECT_THAT(meeting.policy.rules[3].ports, ElementsAre("25"));
}

TEST(CsfImport, LetsNamesOfDyndnsInAndJudgesThemAsCsfDid) {
  const std::string dyndns = "admin.example.net # home\ntcp|in|d=22|s=ssh.example.net\n";
  const Import judged = Files()
                            .with("/etc/csf/csf.conf", "TCP_IN = \"22\"\nDYNDNS = \"600\"\n")
                            .with("/etc/csf/csf.dyndns", dyndns)
                            .import();
  ASSERT_EQ(judged.policy.rules.size(), 3U);
  EXPECT_THAT(judged.policy.rules[0].peer, ElementsAre("admin.example.net"));
  EXPECT_EQ(judged.policy.rules[0].note, "home");
  EXPECT_TRUE(judged.policy.rules[1].out);
  EXPECT_THAT(judged.policy.rules[2].peer, ElementsAre("ssh.example.net"));
  EXPECT_TRUE(judged.policy.lists.empty());
  const Import ignored = Files()
                             .with("/etc/csf/csf.conf", "TCP_IN = \"22\"\nDYNDNS = \"600\"\nDYNDNS_IGNORE = \"1\"\n")
                             .with("/etc/csf/csf.dyndns", dyndns)
                             .import();
  ASSERT_NE(list_of(ignored, "csf_dyndns"), nullptr);
  EXPECT_EQ(list_of(ignored, "csf_dyndns")->action, "ignore");
  const Import off = Files().with("/etc/csf/csf.dyndns", dyndns).import();
  EXPECT_TRUE(off.policy.rules.empty());
}

TEST(CsfImport, TakesTemporaryEntriesForTheTimeThatIsLeft) {
  const int64_t noon = std::chrono::duration_cast<std::chrono::seconds>(make::noon.time_since_epoch()).count();
  const Import import =
      Files()
          .with("/var/lib/csf/csf.tempban",
                fmt::format("{}|192.0.2.7|22|in|3600|lfd - (sshd) failed\n{}|192.0.2.8||in|60|over\n", noon - 600,
                            noon - 600))
          .with("/var/lib/csf/csf.tempallow", fmt::format("{}|192.0.2.9|53;udp|inout|600|a guest\n", noon))
          .import();
  ASSERT_EQ(import.policy.rules.size(), 3U);
  EXPECT_EQ(import.policy.rules[0].protocol, "udp");
  EXPECT_FALSE(import.policy.rules[0].out);
  EXPECT_TRUE(import.policy.rules[1].out);
  const ImportedRule& ban = import.policy.rules[2];
  EXPECT_FALSE(ban.allow);
  EXPECT_THAT(ban.ports, ElementsAre("22"));
  EXPECT_EQ(ban.until, "2025-01-12T12:50:00Z");
  EXPECT_EQ(ban.note, "lfd - (sshd) failed");
  EXPECT_THAT(sentences(import, Fate::left_out), Contains(HasSubstr("its time is over")));
}

TEST(CsfImport, ReadsLimitsKnocksAndLists) {
  const Import import =
      Files()
          .with(
              "/etc/csf/csf.conf",
              "CONNLIMIT = \"22;5,80;20,x;1\"\nPORTFLOOD = \"22;tcp;5;300\"\nPORTKNOCKING = \"22;TCP;20;100;200;300\"\n"
              "SYNFLOOD = \"1\"\nSYNFLOOD_RATE = \"100/s\"\nSYNFLOOD_BURST = \"150\"\nICMP_IN = \"0\"\n"
              "SMTP_BLOCK = \"1\"\nSMTP_PORTS = \"25,465\"\nSMTP_ALLOWGROUP = \"mail\"\n"
              "LF_NETBLOCK = \"1\"\nLF_NETBLOCK_COUNT = \"4\"\nPS_INTERVAL = \"300\"\nPS_LIMIT = \"10\"\n"
              "CC_DENY = \"KP,AS64500,Utopia\"\n")
          .with("/etc/csf/csf.blocklists",
                "DROP|86400|0|https://lists.example.net/drop\nODD|x|0|https://a.example/\nFTP|9|0|ftp://a.example/\n")
          .with("/etc/csf/csf.redirect", "*|80|*|8080|tcp\n192.0.2.1|25|192.0.2.2|2525|tcp\n1|2|3\n")
          .import();
  const ImportedPolicy& policy = import.policy;
  ASSERT_EQ(policy.limits.size(), 3U);
  EXPECT_EQ(policy.limits[1].connections, 20U);
  EXPECT_EQ(policy.limits[2].rate, "5/300s");
  ASSERT_EQ(policy.knocks.size(), 1U);
  EXPECT_THAT(policy.knocks[0].sequence, ElementsAre(100, 200, 300));
  EXPECT_EQ(policy.syn_flood_global, "100/second burst 150");
  EXPECT_EQ(policy.ping, "off");
  ASSERT_TRUE(policy.smtp);
  EXPECT_THAT(policy.smtp->groups, ElementsAre("mail"));
  EXPECT_THAT(policy.sections.at("ban.widen"), Contains("after = 5"));
  EXPECT_THAT(policy.sections.at("detect.blocked"), ElementsAre("after = 11", "within = \"300s\""));
  ASSERT_EQ(policy.lists.size(), 1U);
  EXPECT_EQ(policy.lists[0].url, "https://lists.example.net/drop");
  ASSERT_EQ(policy.redirects.size(), 2U);
  EXPECT_EQ(policy.redirects[1].to_address, "192.0.2.2");
  EXPECT_THAT(sentences(import, Fate::left_out), Contains(HasSubstr("CC_DENY KP,AS64500")));
  EXPECT_THAT(sentences(import, Fate::fault), Contains(HasSubstr("\"Utopia\" is neither")));
}

TEST(CsfImport, KeepsPasswordsOutOfTheReport) {
  const Import import =
      Files().with("/etc/csf/csf.conf", "UI_PASS = \"tops3cret\"\nCLUSTER_KEY = \"tops3cret\"\n").import();
  for (const ReportLine& line : import.report.lines())
    EXPECT_THAT(report_text(line), testing::Not(HasSubstr("tops3cret")));
}

TEST(CsfImport, NeedsAnOptionOfCsf) {
  const auto import = import_all({}, make::noon, [](const std::string&) -> Result<std::string> { return "hello\n"; });
  ASSERT_FALSE(import);
  EXPECT_THAT(import.error().text, HasSubstr("there is no option of CSF in it"));
}

TEST(CsfOptions, KnowsNumberedOnes) {
  EXPECT_TRUE(find_option("CUSTOM9_LOG"));
  EXPECT_TRUE(find_option("PORTS_sshd"));
  EXPECT_FALSE(find_option("TCP_INN"));
  EXPECT_GT(option_names().size(), 300U);
}

TEST(ImportedToml, WritesTextsInAscii) {
  EXPECT_EQ(toml_text("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(toml_text("B\xc3\xbcro\x01\xff"), R"("B\u00FCro\u0001?")");
  EXPECT_EQ(toml_text("\xf0\x9f\x9a\xa7"), R"("\U0001F6A7")");
}

}  // namespace
}  // namespace palang::foreign::csf
