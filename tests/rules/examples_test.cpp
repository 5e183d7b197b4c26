#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "engine/rule_examples.hpp"
#include "rules/shipped.hpp"

namespace palang {
namespace {

TEST(ShippedRules, AllLoad) {
  EXPECT_THAT(shipped::rules().faults, testing::IsEmpty());
  EXPECT_GE(shipped::rules().rules.size(), 60U);
}

TEST(ShippedRules, TheirExamplesHold) {
  const auto report = check_examples(shipped::rules().rules);
  ASSERT_TRUE(report) << report.error().text;
  for (const ExampleFailure& failure : report->failures)
    ADD_FAILURE() << failure.place() << ": " << failure.rule->settings.name << " " << failure.fault << ": "
                  << failure.example->line;
  EXPECT_GE(report->examples, 300U);
}

struct Message {
  std::string_view program;
  std::string_view text;
};

// "… web1 sshd[42]: Failed …" → "sshd", "Failed …"
Message message_of(std::string_view line) {
  const size_t colon = line.find(": ");
  std::string_view tag = line.substr(0, colon);
  tag.remove_prefix(tag.rfind(' ') + 1);
  return {tag.substr(0, tag.find('[')), line.substr(colon + 2)};
}

// Without headers, as journald hands them over: what is named by its identifier must match all the same.
TEST(ShippedRules, MatchMessagesOfTheJournal) {
  auto reader = ExampleReader::compile(shipped::rules().rules);
  ASSERT_TRUE(reader) << reader.error().text;
  size_t lines = 0;
  for (const RuleDefinition& definition : shipped::rules().rules) {
    for (const RuleExample& example : definition.examples) {
      if (!example.match || !example.file.empty()) continue;
      const Message message = message_of(example.line);
      const auto& events = reader->read_message(message.text, message.program);
      const bool found = std::ranges::any_of(events, [&](const Event& event) {
        return rule_name(event.rule) == definition.settings.name && event.source == Address::parse(example.addr);
      });
      EXPECT_TRUE(found) << definition.settings.name << ": " << example.line;
      ++lines;
    }
  }
  EXPECT_GE(lines, 80U);
}

bool is_v6(const RuleExample& example) {
  const auto address = Address::parse(example.addr);
  return address && !address->is_v4();
}

TEST(ShippedRules, HaveExamplesThatMatchAndThatDoNot) {
  for (const RuleDefinition& definition : shipped::rules().rules) {
    if (definition.settings.count == RuleSettings::Count::bans) continue;  // reads no lines
    const auto& examples = definition.examples;
    EXPECT_GE(std::ranges::count(examples, true, &RuleExample::match), 2) << definition.settings.name;
    EXPECT_GE(std::ranges::count(examples, false, &RuleExample::match), 1) << definition.settings.name;
    EXPECT_TRUE(std::ranges::any_of(examples, is_v6)) << definition.settings.name << ": no IPv6";
    EXPECT_FALSE(definition.about.empty()) << definition.settings.name;
  }
}

// What may ban on open ports and what may not.
TEST(ShippedRules, TrustNothingThatAnyoneCanWrite) {
  for (const std::string_view name : {"bind-denied", "asterisk", "freeswitch", "openvpn-noise", "nginx-limit",
                                      "nginx-forbidden", "modsec-nginx", "mysql-login", "mysql-noise"}) {
    const RuleDefinition* rule = shipped::find(name);
    ASSERT_NE(rule, nullptr) << name;
    EXPECT_EQ(rule->settings.proof, Proof::forgeable) << name;
  }
}

struct Covered {
  std::string_view program;
  std::string_view rule;
};

TEST(ShippedRules, KnowTheServersThatTheGuideNames) {
  constexpr std::array covered{
      Covered{"OpenSSH", "sshd-login"},
      Covered{"OpenSSH, invalid users", "sshd-invalid-user"},
      Covered{"OpenSSH, pre-auth noise", "sshd-preauth"},
      Covered{"OpenSSH, key exchange", "sshd-kex"},
      Covered{"OpenSSH, many accounts", "sshd-accounts"},
      Covered{"Dropbear", "dropbear-login"},
      Covered{"Postfix", "postfix-sasl"},
      Covered{"Postfix, postscreen", "postfix-postscreen"},
      Covered{"Dovecot", "dovecot-login"},
      Covered{"Exim", "exim-login"},
      Covered{"Courier", "courier-login"},
      Covered{"Sendmail", "sendmail-login"},
      Covered{"ProFTPD", "proftpd-login"},
      Covered{"vsftpd", "vsftpd-login"},
      Covered{"Pure-FTPd", "pureftpd-login"},
      Covered{"nginx and Apache, logins", "http-login"},
      Covered{"nginx and Apache, probes", "http-probe"},
      Covered{"nginx and Apache, WordPress", "http-wordpress"},
      Covered{"nginx and Apache, what is not there", "http-404"},
      Covered{"nginx and Apache, bad requests", "http-bad-request"},
      Covered{"nginx and Apache, floods of an address", "http-flood"},
      Covered{"nginx and Apache, floods of a network", "http-flood-network"},
      Covered{"nginx, limit_req", "nginx-limit"},
      Covered{"Apache, logins", "apache-auth"},
      Covered{"ModSecurity 2, error log", "modsec-apache"},
      Covered{"ModSecurity 3, error log", "modsec-nginx"},
      Covered{"ModSecurity, JSON", "modsec-audit"},
      Covered{"MySQL and MariaDB", "mysql-login"},
      Covered{"PostgreSQL", "postgresql-login"},
      Covered{"BIND", "bind-denied"},
      Covered{"Asterisk", "asterisk"},
      Covered{"FreeSWITCH", "freeswitch"},
      Covered{"OpenVPN", "openvpn-login"},
      Covered{"Webmin", "webmin-login"},
      Covered{"cPanel and WHM", "cpanel-login"},
      Covered{"DirectAdmin", "directadmin-login"},
      Covered{"Plesk", "plesk-login"},
      Covered{"phpMyAdmin", "phpmyadmin-login"},
      Covered{"Roundcube", "roundcube-login"},
      Covered{"Gitea", "gitea-login"},
      Covered{"Nextcloud", "nextcloud-login"},
      Covered{"Grafana", "grafana-login"},
      Covered{"Proxmox", "proxmox-login"},
      Covered{"those who come back", "recidive"},
  };
  for (const Covered& each : covered) {
    const RuleDefinition* rule = shipped::find(each.rule);
    EXPECT_TRUE(rule != nullptr && rule->enabled) << each.program << ": no rule " << each.rule;
  }
}

// What a web application says in sshd's name is not believed; sshd is, under each name that distributions give it.
TEST(ShippedRules, BelieveTheUnitsOfTheirService) {
  auto set = RuleSet::compile(shipped::rules().rules);
  ASSERT_TRUE(set);
  const auto events_by = [&](std::string_view unit) {
    LogEntry entry;
    entry.whole = "Failed password for root from 203.0.113.9 port 64490 ssh2";
    entry.line = {WallTime{}, "sshd", entry.whole, false};
    LineOrigin origin;
    origin.unit = unit;
    std::vector<Event> events;
    set->match(entry, origin, events);
    return events.size();
  };
  EXPECT_EQ(events_by("apache2.service"), 0U);
  EXPECT_EQ(events_by("php8.2-fpm.service"), 0U);
  for (const char* unit : {"", "ssh.service", "sshd.service", "sshd@3-192.0.2.1:22-203.0.113.9:64490.service"})
    EXPECT_GT(events_by(unit), 0U) << unit;
}

}  // namespace
}  // namespace palang
