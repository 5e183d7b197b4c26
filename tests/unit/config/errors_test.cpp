#include <gtest/gtest.h>

#include "config/config.hpp"

namespace palang {
namespace {

std::string complaint(std::string_view text) {
  const auto config = parse_config(text, "f.toml");
  if (config) return "no complaint";
  EXPECT_EQ(config.error().kind, ErrorKind::bad_config);
  return config.error().text;
}

TEST(ConfigErrors, NameFileLineKeyAndTheNearestKey) {
  EXPECT_EQ(complaint("# palang\n\n[ban]\nfro = \"1d\"\n"), "f.toml:4: ban.fro: no such key; did you mean ban.for?");
  EXPECT_EQ(complaint("[ban]\nwiden = { aftr = 4 }"),
            "f.toml:2: ban.widen.aftr: no such key; did you mean ban.widen.after?");
  EXPECT_EQ(complaint("budget = 1000"), "f.toml:1: budget: no such key; did you mean ban.budget?");
  EXPECT_EQ(complaint("frobnicate = 1"), "f.toml:1: frobnicate: no such key");
  EXPECT_EQ(complaint("[bann]\nfor = \"1d\""), "f.toml:1: bann: no such section; did you mean [ban]?");
}

TEST(ConfigErrors, RulesHaveFilesOfTheirOwn) {
  EXPECT_EQ(complaint("[[rule]]\nname = \"mine\"\n"),
            "f.toml:1: rule: rules are not written here but in files of a directory that rules.directories names: "
            "/etc/palang/rules.d/mine.toml");
}

TEST(ConfigErrors, AllOfAFileAreToldInItsOrder) {
  EXPECT_EQ(complaint("[log]\nlevel = \"loud\"\n[ban]\nquiet = 5\nfor = \"0s\"\n[ledger]\npath = \"x.db\"\n"),
            "f.toml:2: log.level: must be \"error\", \"warning\", \"notice\", \"info\" or \"debug\", not 'loud'\n"
            "f.toml:4: ban.quiet: must be a duration with its unit, as in \"90s\", \"10m\", \"12h\", \"3d\", not the "
            "number 5\n"
            "f.toml:5: ban.for: 0s is out of range: 1s to 3650d\n"
            "f.toml:7: ledger.path: 'x.db' must be an absolute path, beginning with /");
}

TEST(ConfigErrors, SyntaxNamesLineAndColumn) {
  const std::string text = complaint("[ban]\nfor = = \"1d\"\n");
  EXPECT_TRUE(text.starts_with("f.toml:2:7: ")) << text;
}

struct Case {
  const char* toml;
  const char* error;  // without "f.toml:1: "
};

class SingleError : public testing::TestWithParam<Case> {};

TEST_P(SingleError, IsASentence) {
  EXPECT_EQ(complaint(GetParam().toml), std::string("f.toml:1: ") + GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, SingleError,
    testing::Values(
        Case{"profile = \"clasic\"",
             "profile: must be \"default\" or \"classic\", not 'clasic'; did you mean \"classic\"?"},
        Case{"profile = \"custom\"", "profile: must be \"default\" or \"classic\", not 'custom'"},
        Case{"ban = 3", "ban: is a section: write [ban] and its keys below"},
        Case{"ban.for = \"3 days\"",
             "ban.for: '3 days' is not a duration: write a number and a unit, as in \"90s\", \"10m\", \"12h\", \"3d\""},
        Case{"ban.for = \"2d\"\nban.at_most = \"1d\"\nban.quiet = \"1d\"",
             "ban.for: 2d is longer than ban.at_most (1d)"},
        Case{"ban.quiet = \"29d\"", "ban.quiet: 29d is longer than ban.at_most (28d of profile \"default\")"},
        Case{"ban.budget = 0", "ban.budget: 0 is out of range: 1 to 16000000"},
        Case{"ban.budget = 1.5", "ban.budget: must be a whole number, not a fraction"},
        Case{"ban.scope = true", "ban.scope: must be \"by-proof\" or \"full\", not true"},
        Case{"ban.widen.to = [24]",
             "ban.widen.to: must be two lengths, of the IPv4 and the IPv6 network, as in [24, 64], not a list"},
        Case{"ban.widen.to = [32, 64]",
             "ban.widen.to: the length of an IPv4 network is a number from 8 to 31, not the number 32"},
        Case{"ban.widen.to = [24, 15]",
             "ban.widen.to: the length of an IPv6 network is a number from 16 to 127, not the number 15"},
        Case{"detect.portscan.ports = 1", "detect.portscan.ports: 1 is out of range: 2 to 1000"},
        Case{"detect.blocked.enabled = \"yes\"", "detect.blocked.enabled: must be true or false, not the text 'yes'"},
        Case{"public.tcp = [0]", "public.tcp: a port is a number from 1 to 65535, not the number 0"},
        Case{"enforce.interfaces = \"eth0\"",
             "enforce.interfaces: must be a list of names of interfaces, as in [\"eth0\"], not the text 'eth0'"},
        Case{"enforce.interfaces = [\"a/b\"]", "enforce.interfaces: 'a/b' is not a name that an interface can have"},
        Case{"enforce.interfaces = [7]",
             "enforce.interfaces: must be a list of names of interfaces, as in [\"eth0\"]; it holds the number 7"},
        Case{"public.udp = 53", "public.udp: must be a list of ports, as in [80, 443], not the number 53"},
        Case{"allow.prefixes = [\"192.0.2.1/24\"]",
             "allow.prefixes: '192.0.2.1/24' is not a prefix: host bits are set; the network is 192.0.2.0/24"},
        Case{"allow.prefixes = [\"example.org\"]", "allow.prefixes: 'example.org' is not an IPv4 or IPv6 address"},
        Case{"allow.prefixes = [\"0.0.0.0/0\"]", "allow.prefixes: 0.0.0.0/0 allows everyone: nobody would be banned"},
        Case{"allow.prefixes = [7]", "allow.prefixes: a prefix is a text, as in \"192.0.2.0/24\", not the number 7"},
        Case{"allow.prefixes = [{ prefix = \"192.0.2.1\", nte = \"x\" }]",
             "allow.prefixes: 'nte' is no key of an entry; did you mean note?"},
        Case{"allow.prefixes = [{ note = \"x\" }]",
             "allow.prefixes: an entry needs its prefix, as in { prefix = \"192.0.2.0/24\" }"},
        Case{"source = { type = \"kmsg\" }", "source: write [[source]], in double brackets"},
        Case{"source = [{ type = \"file\" }]", "source.path: is missing: the log file's path"},
        Case{"source = [{ typ = \"file\", path = \"/x\" }]", "source.typ: no such key; did you mean source.type?"},
        Case{"source = [{ path = \"/x\" }]", "source.type: is missing: \"file\", \"journald\", \"kmsg\" or \"nflog\""},
        Case{"source = [{ type = \"file\", path = \"x.log\" }]",
             "source.path: 'x.log' must be an absolute path, beginning with /"},
        Case{"source = [{ type = \"kmsg\", path = \"/dev/kmsg\" }]", "source.path: is only for type = \"file\""},
        Case{"source = [{ type = \"file\", path = \"/a/b\" }, { type = \"file\", path = \"/a//b\" }]",
             "source: /a//b is a source already"},
        Case{"source = [{ type = \"kmsg\" }, { type = \"kmsg\" }]", "source: is a source already"},
        Case{"rules.directories = [\"rules.d\"]",
             "rules.directories: 'rules.d' must be an absolute path, beginning with /"},
        Case{"rules.directories = \"/etc/rules.d\"",
             "rules.directories: must be a list of absolute paths, as in [\"/etc/palang/rules.d\"], not the text "
             "'/etc/rules.d'"},
        Case{"rules.enabled = [7]",
             "rules.enabled: must be a list of names of rules, as in [\"sshd-*\", \"nginx-login\"]; it holds the "
             "number 7"},
        Case{"rules.disabled = [\"s*shd\"]", "rules.disabled: 's*shd' is not a name that a rule can have"},
        Case{"rules.fail2ban = \"etc\"", "rules.fail2ban: 'etc' must be an absolute path, beginning with /"},
        Case{"source = [{ type = \"nflog\" }]", "source.group: is missing: the number in the firewall's rule"},
        Case{"source = [{ type = \"kmsg\", group = 7 }]", "source.group: is only for type = \"nflog\""},
        Case{"source = [{ type = \"nflog\", group = 7 }, { type = \"nflog\", group = 7 }]",
             "source: NFLOG group 7 is a source already"},
        Case{"source = [7]", "source: write [[source]] and its keys below"},
        Case{"api.group = \"a b\"", "api.group: 'a b' is not a name that a group can have"},
        Case{"ledger.keep = \"80d\"", "ledger.keep: 80d is shorter than ban.remember (90d of profile \"default\")"},
        Case{"log.level = 2021-01-01",
             "log.level: must be \"error\", \"warning\", \"notice\", \"info\" or \"debug\", not a date or time"}));

TEST(ConfigErrors, ClassicWithAContradictingKeyNamesTheProfile) {
  EXPECT_EQ(complaint("profile = \"classic\"\n[ban]\nfor = \"7d\""),
            "f.toml:3: ban.for: 7d is longer than ban.at_most (3d of profile \"classic\")");
  EXPECT_EQ(complaint("profile = \"classic\"\n[ban]\nfor = \"7d\"\nat_most = \"7d\""), "no complaint");
}

TEST(ConfigErrors, ASocketPathMustFitIntoItsAddress) {
  const std::string text = complaint("api.socket = \"/" + std::string(107, 'x') + "\"");
  EXPECT_NE(text.find("is too long for a socket: 107 bytes at most"), std::string::npos) << text;
}

TEST(ConfigErrors, AKeyWithoutEndIsRefused) {
  std::string dots = "a";
  for (int i = 0; i < 100'000; ++i) dots += ".a";
  EXPECT_EQ(complaint(dots + " = 1"), "f.toml:1: a key with very many dots");
  std::string quoted = "a";
  for (int i = 0; i < 100'000; ++i) quoted += ".\"=\".'#'";
  EXPECT_EQ(complaint(quoted + " = 1"), "f.toml:1: a key with very many dots");
  EXPECT_EQ(complaint("# ...................... 1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9\n"), "no complaint");
  EXPECT_EQ(complaint("allow.prefixes = [{ prefix = \"192.0.2.1\", note = \"....................\" }]"),
            "no complaint");
}

TEST(ConfigErrors, WhatTripsTheLibraryIsAnErrorOfItsLine) {
  EXPECT_EQ(complaint("[ban]\n\n[\nfor = \"1d\"\n"), "f.toml:3: this is no TOML");
  EXPECT_EQ(complaint(std::string_view("[ban]\n[[\0\0x]]", 12)), "f.toml:2: a control character");
}

TEST(ConfigErrors, CharactersOutsideOfAsciiBelongIntoComments) {
  EXPECT_EQ(complaint("# caf\u00e9\n[ban]\nfor = \u201c1d\u201d\n"),
            "f.toml:3: a character that is not ASCII; typographic quotes don't count as quotes");
  EXPECT_EQ(complaint("\napi.group = \"caf\u00e9\""),
            "f.toml:2: a character that is not ASCII; in a text, write it as \\u and four hex digits");
  EXPECT_EQ(complaint("\ufeff# begins with a byte order mark\n"
                      "allow.prefixes = [{ prefix = '192.0.2.1', note = \"caf\\u00e9\" }] # \u201csic\u201d"),
            "no complaint");
}

TEST(ConfigErrors, AQuotedDotIsNoPath) {
  constexpr const char* advice = ": no such key; write names without quotes, as in ban.for or below [ban]";
  EXPECT_EQ(complaint("\"ban.for\" = \"1d\""), std::string("f.toml:1: ban.for") + advice);
  EXPECT_EQ(complaint("\"source.type\" = \"file\""), std::string("f.toml:1: source.type") + advice);
  EXPECT_EQ(complaint("\"\" = {}"), std::string("f.toml:1: ") + advice);
}

TEST(ConfigErrors, TextOfTheFileCannotSteerATerminal) {
  const std::string text = complaint("\"\\u001b[2J\" = 1");
  EXPECT_EQ(text, "f.toml:1: \\x1b[2J: no such key");
}

TEST(ConfigErrors, AFileFullOfErrorsIsCutShort) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "zz" + std::to_string(i) + "q = 1\n";
  const std::string text = complaint(many);
  EXPECT_TRUE(text.ends_with("\nf.toml: 150 more errors")) << text;
}

}  // namespace
}  // namespace palang
