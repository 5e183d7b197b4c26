#include <gtest/gtest.h>

#include "config/config.hpp"

namespace palang {
namespace {

Config must_parse(std::string_view text) {
  const auto config = parse_config(text, "palang.toml");
  EXPECT_TRUE(config.has_value()) << config.error().text;
  return config.value_or(Config{});
}

TEST(ParseConfig, AnEmptyFileHoldsTheDefaults) {
  EXPECT_EQ(must_parse(""), Config{});
  EXPECT_EQ(must_parse("# only words\n[ban]\n[detect]\n"), Config{});
  EXPECT_EQ(must_parse("profile = \"default\""), Config{});
}

TEST(ParseConfig, EveryKeyReachesItsPlace) {
  const Config config = must_parse(R"(
[ban]
for = "2h"
at_most = "1d12h"
quiet = "30m"
remember = "60d"
scope = "full"
budget = 5000
[ban.widen]
after = 7
within = "3d"
to = [20, 56]
[detect]
tracked_sources = 2000
[detect.blocked]
enabled = false
after = 3
within = "90s"
[detect.portscan]
enabled = false
ports = 25
within = "1h"
[public]
tcp = [80, 443]
udp = [53]
detect = false
[rules]
shipped = false
directories = ["/tmp/rules", "/tmp/more/"]
enabled = ["sshd-*", "nginx-login"]
disabled = ["sshd-kex"]
fail2ban = "/etc/fail2ban"
follow = false
[enforce]
backend = "xdp"
interfaces = ["eth0", "lan.7"]
nftables_too = true
bpffs = "/run/bpf"
[ledger]
path = "/tmp/x.db"
keep = "90d"
[api]
socket = "/tmp/x.sock"
group = "wheel"
[log]
level = "debug"
)");
  const BanSettings& ban = config.policy.ban;
  EXPECT_EQ(ban.first, Duration{2h});
  EXPECT_EQ(ban.at_most, Duration{36h});
  EXPECT_EQ(ban.quiet, Duration{30min});
  EXPECT_EQ(ban.remember, one_day * 60);
  EXPECT_TRUE(ban.always_full);
  EXPECT_EQ(ban.budget, 5000U);
  EXPECT_EQ(ban.widen.after, 7U);
  EXPECT_EQ(ban.widen.within, one_day * 3);
  EXPECT_EQ(ban.widen.to_v4, 20);
  EXPECT_EQ(ban.widen.to_v6, 56);
  const DetectSettings& detect = config.policy.detect;
  EXPECT_EQ(detect.tracked_sources, 2000U);
  EXPECT_FALSE(detect.blocked.enabled);
  EXPECT_EQ(detect.blocked.after, 3U);
  EXPECT_EQ(detect.blocked.within, Duration{90s});
  EXPECT_FALSE(detect.portscan.enabled);
  EXPECT_EQ(detect.portscan.ports, 25U);
  EXPECT_EQ(detect.portscan.within, Duration{1h});
  EXPECT_EQ(config.open.declared.tcp.list(), (std::vector<uint16_t>{80, 443}));
  EXPECT_EQ(config.open.declared.udp.list(), (std::vector<uint16_t>{53}));
  EXPECT_FALSE(config.open.detect);
  EXPECT_FALSE(config.rules.shipped);
  EXPECT_EQ(config.rules.directories, (std::vector<std::string>{"/tmp/rules", "/tmp/more/"}));
  EXPECT_EQ(config.rules.enabled, (std::vector<std::string>{"sshd-*", "nginx-login"}));
  EXPECT_EQ(config.rules.disabled, std::vector<std::string>{"sshd-kex"});
  EXPECT_EQ(config.rules.fail2ban, "/etc/fail2ban");
  EXPECT_FALSE(config.rules.follow);
  EXPECT_EQ(config.enforce, (EnforceSettings{EnforceSettings::Backend::xdp, true, {"eth0", "lan.7"}, "/run/bpf"}));
  EXPECT_EQ(config.ledger.path, "/tmp/x.db");
  EXPECT_EQ(config.ledger.keep, one_day * 90);
  EXPECT_EQ(config.api.socket, "/tmp/x.sock");
  EXPECT_EQ(config.api.group, "wheel");
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.profile, "custom");
}

TEST(ParseConfig, WideningMayBeWrittenInline) {
  const Config config = must_parse("[ban]\nwiden = { after = 9, within = \"14d\", to = [22, 48] }");
  EXPECT_EQ(config.policy.ban.widen, (WidenSettings{9, one_day * 14, 22, 48}));
}

TEST(ParseConfig, ClassicIsTheClassicProfile) {
  const Config config = must_parse("profile = \"classic\"");
  EXPECT_EQ(config.policy.ban, classic_profile());
  EXPECT_EQ(config.profile, "classic");
}

TEST(ParseConfig, SingleKeysOverrideTheProfileWhereverTheyStand) {
  const Config config = must_parse("[ban]\nfor = \"1d\"\n[api]\ngroup = \"a\"\n");
  EXPECT_EQ(config.profile, "default") << "a key with the profile's own value departs from nothing";

  const Config custom = must_parse("ban.for = \"1d\"\nprofile = \"classic\"");
  BanSettings expected = classic_profile();
  expected.first = one_day;
  EXPECT_EQ(custom.policy.ban, expected);
  EXPECT_EQ(custom.profile, "custom");

  EXPECT_EQ(must_parse("profile = \"classic\"\nban.budget = 10").profile, "classic");
  EXPECT_EQ(must_parse("profile = \"classic\"\ndetect.blocked.after = 2").profile, "custom");
}

TEST(ParseConfig, AllowTakesAddressesPrefixesAndNotes) {
  const Config config = must_parse(R"(
[allow]
prefixes = [
  "198.51.100.7",
  "2001:db8::/32",
  { prefix = "203.0.113.0/24", note = "monitoring" },
  "198.51.100.7/32",
]
)");
  ASSERT_EQ(config.allow.size(), 3U) << "the same prefix twice is one";
  EXPECT_EQ(config.allow[0].prefix.text(), "198.51.100.7");
  EXPECT_EQ(config.allow[1].prefix.text(), "2001:db8::/32");
  EXPECT_EQ(config.allow[2].note, "monitoring");
  ASSERT_EQ(config.policy.allow.size(), 3U);
  EXPECT_EQ(config.policy.allow[2].text(), "203.0.113.0/24");
}

TEST(ParseConfig, SourcesComeInTheOrderOfTheFile) {
  const Config config = must_parse(R"(
[[source]]
type = "file"
path = "/var/log/kern.log"
start = "end"
[[source]]
type = "kmsg"
[[source]]
type = "nflog"
group = 7
)");
  ASSERT_EQ(config.sources.size(), 3U);
  EXPECT_EQ(config.sources[0],
            (SourceSettings{SourceSettings::Type::file, "/var/log/kern.log", SourceSettings::Start::end, 0}));
  EXPECT_EQ(config.sources[1], (SourceSettings{SourceSettings::Type::kmsg, "", SourceSettings::Start::beginning, 0}));
  EXPECT_EQ(config.sources[2], (SourceSettings{SourceSettings::Type::nflog, "", SourceSettings::Start::beginning, 7}));
  EXPECT_NE(describe(config).find("sources: /var/log/kern.log, the kernel log, NFLOG group 7\n"), std::string::npos);
}

TEST(Describe, SaysWhatThePolicyAmountsTo) {
  EXPECT_EQ(describe(Config{}),
            "profile default: banned for 1d, doubling to 28d within 90d, until quiet for 2d; the /24 (IPv6: /64) at 4 "
            "offenders within 28d\n"
            "scope: forgeable evidence closes no port that is open to the public\n"
            "offenders: one refused packet, or 10 ports within 10m\n"
            "open to the public: ports where services listen\n"
            "sources: what this host has\n"
            "allowed: nobody besides those protected by themselves\n"
            "enforced by XDP on the interfaces of the default routes where that does no harm, else nftables\n"
            "ledger: /var/lib/palang/palang.db\n"
            "socket: /run/palang/palang.sock (group palang)\n");
  const std::string classic = describe(must_parse("profile = \"classic\"\npublic = { tcp = [80], detect = false }"));
  EXPECT_NE(classic.find("profile classic: banned for 3d; the whole /24 (IPv6: /64) at first sight\n"
                         "scope: every port at once\n"),
            std::string::npos)
      << classic;
  EXPECT_NE(classic.find("open to the public: only tcp 80\n"), std::string::npos) << classic;
}

}  // namespace
}  // namespace palang
