#include "cli/commands.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "fake_daemon.hpp"
#include "golden/api_replies.hpp"

namespace palang {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// `palang words...`, as a program would run it; `answer` is what a person at a terminal types.
Outcome palang_says(std::vector<std::string> words, const std::string& answer = "", bool terminal = false) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in(answer);
  Console console{out, err, in};
  console.in_is_terminal = terminal;
  Chosen chosen;
  CLI::App app("palang");
  app.require_subcommand(1);
  add_client_commands(app, console, chosen);
  std::vector<const char*> argv{"palang"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const int code = run_command_line(app, static_cast<int>(argv.size()), argv.data(), console, chosen);
  return {code, out.str(), err.str()};
}

std::string golden_ban() {
  return std::string("{").append(golden::ban_fields).append(",").append(golden::ban_extras).append("}");
}

class Commands : public testing::Test {
 protected:
  // The daemon of this host is never spoken to.
  static constexpr const char* nowhere = "--socket=/nonexistent/palang.sock";

  // Runs the command against a daemon that gives `reply`, and keeps what it was asked.
  Outcome against(const std::string& reply, std::vector<std::string> words, const std::string& answer = "",
                  bool terminal = false) {
    FakeDaemon daemon([&](const std::string&) { return reply; });
    words.insert(words.end(), {"--socket", daemon.path()});
    Outcome outcome = palang_says(words, answer, terminal);
    asked_ = daemon.finish();
    return outcome;
  }
  [[nodiscard]] std::string first_line() const {
    return asked_.empty() ? "" : asked_[0].substr(0, asked_[0].find("\r\n"));
  }
  [[nodiscard]] std::string body() const { return asked_.at(0).substr(asked_.at(0).find("\r\n\r\n") + 4); }

  std::vector<std::string> asked_;
};

TEST_F(Commands, StatusForPeopleAndPrograms) {
  const Outcome people = against(http(200, golden::status), {"status"});
  EXPECT_EQ(people.code, 0);
  EXPECT_THAT(people.out, StartsWith("palang 0.1.0: 1 trouble\n"));
  EXPECT_EQ(first_line(), "GET /v1/status HTTP/1.1");

  const Outcome programs = against(http(200, std::string(golden::status) + "\n"), {"status", "--json"});
  EXPECT_EQ(programs.out, std::string(golden::status) + "\n");
}

TEST_F(Commands, ListFiltersAndLimits) {
  const std::string reply = http(200, R"({"total":1,"bans":[)" + golden_ban() + "]}\n");
  const Outcome people = against(reply, {"list", "--within", "198.51.100.0/24", "--scope", "quiet", "--sort", "hits"});
  EXPECT_EQ(people.code, 0);
  EXPECT_THAT(people.out, HasSubstr("198.51.100.0/24  quiet"));
  EXPECT_EQ(first_line(), "GET /v1/bans?within=198.51.100.0%2F24&scope=quiet&order=hits&limit=50 HTTP/1.1");

  const Outcome programs = against(reply, {"list", "--json"});
  EXPECT_EQ(programs.out, R"({"total":1,"bans":[)" + golden_ban() + "]}\n");
  EXPECT_EQ(first_line(), "GET /v1/bans?limit=0 HTTP/1.1");
}

TEST_F(Commands, ListOfTheAllowed) {
  const std::string reply = http(200, std::string(golden::allowed) + "\n");
  EXPECT_THAT(against(reply, {"list", "--allowed", "--within", "192.0.2.7"}).out, HasSubstr("192.0.2.0/24  command"));
  EXPECT_EQ(first_line(), "GET /v1/allow?within=192.0.2.7 HTTP/1.1");
  EXPECT_EQ(against(reply, {"list", "--allowed", "--json"}).out, std::string(golden::allowed) + "\n");
}

TEST_F(Commands, Why) {
  const Outcome outcome = against(http(200, golden::why_nothing), {"why", "2001:db8::1"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "192.0.2.1 is not banned.\n");
  EXPECT_EQ(first_line(), "GET /v1/why?address=2001%3Adb8%3A%3A1 HTTP/1.1");

  const std::string unknown = http(404, R"({"error":"192.0.2.1 was never seen","kind":"not_found"})");
  EXPECT_EQ(against(unknown, {"why", "192.0.2.1"}).code, 3);
}

TEST_F(Commands, Ban) {
  const Outcome outcome =
      against(http(200, R"({"ban":)" + golden_ban() + "}"),
              {"ban", "198.51.100.0/24", "--for", "3d", "--reason", "too \"loud\"", "--scope", "quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("198.51.100.0/24 is banned on every port that is not open to the public, until"));
  EXPECT_EQ(first_line(), "POST /v1/bans HTTP/1.1");
  EXPECT_EQ(body(), R"({"prefix":"198.51.100.0/24","for":"3d","scope":"quiet","reason":"too \"loud\""})");
}

TEST_F(Commands, Unban) {
  const Outcome lifted = against(http(200, R"({"lifted":1})"), {"unban", "198.51.100.9"});
  EXPECT_EQ(lifted.code, 0);
  EXPECT_EQ(lifted.out, "1 ban lifted.\n");
  EXPECT_EQ(first_line(), "DELETE /v1/bans?prefix=198.51.100.9 HTTP/1.1");

  const Outcome refused =
      against(http(404, R"({"error":"198.51.100.9 is not banned","kind":"not_found"})"), {"unban", "198.51.100.9"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_EQ(refused.err, "palang: 198.51.100.9 is not banned\n");
}

TEST_F(Commands, UnbanAllAsksFirst) {
  const std::string reply = http(200, R"({"lifted":1234})");
  const Outcome unasked = against(reply, {"unban", "--all"});
  EXPECT_EQ(unasked.code, 2);
  EXPECT_THAT(unasked.err, HasSubstr("needs --yes"));
  EXPECT_TRUE(asked_.empty());

  EXPECT_EQ(against(reply, {"unban", "--all"}, "n\n", true).code, 2);
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(against(reply, {"unban", "--all"}, "", true).code, 2);
  EXPECT_TRUE(asked_.empty());

  const Outcome yes = against(reply, {"unban", "--all"}, "y\n", true);
  EXPECT_EQ(yes.code, 0);
  EXPECT_EQ(yes.out, "1,234 bans lifted.\n");
  EXPECT_EQ(first_line(), "DELETE /v1/bans?all=true HTTP/1.1");

  EXPECT_EQ(against(reply, {"unban", "--all", "--yes"}).code, 0);
}

TEST_F(Commands, AllowAndNoLonger) {
  const Outcome allowed =
      against(http(200, R"({"lifted":2})"), {"allow", "192.0.2.0/24", "--for", "12h", "--note", "us"});
  EXPECT_EQ(allowed.out, "192.0.2.0/24 is allowed for 12h; 2 bans lifted.\n");
  EXPECT_EQ(body(), R"({"prefix":"192.0.2.0/24","for":"12h","note":"us"})");

  const Outcome removed = against(http(200, R"({"lifted":0})"), {"allow", "192.0.2.0/24", "--remove"});
  EXPECT_EQ(removed.code, 0);
  EXPECT_EQ(first_line(), "DELETE /v1/allow?prefix=192.0.2.0%2F24 HTTP/1.1");
}

TEST_F(Commands, ReloadOfABadConfiguration) {
  const Outcome outcome =
      against(http(422, R"({"error":"palang.toml:3: unknown key 'fro'","kind":"bad_config"})"), {"reload"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_EQ(outcome.err, "palang: palang.toml:3: unknown key 'fro'\n");
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Commands, Stop) {
  const Outcome outcome = against(http(200, R"({"notes":["12 bans stay"]})"), {"stop"});
  EXPECT_EQ(outcome.out, "12 bans stay\n");
  EXPECT_EQ(body(), "");
  EXPECT_EQ(against(http(200, R"({"notes":[]})"), {"stop", "--lift"}).out, "The daemon stops; every ban was lifted.\n");
  EXPECT_EQ(body(), R"({"lift":true})");
}

TEST_F(Commands, WatchPrintsUntilTheDaemonHangsUp) {
  const std::string record =
      std::string(golden::change_begin).append(golden::ban_fields).append(R"(,"note":""})").append("\n");
  const std::string stream = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + record + "{\"dropped\":3}\n" + record;
  const Outcome people = against(stream, {"watch"});
  EXPECT_EQ(people.code, 1);
  EXPECT_EQ(people.err, "palang: the daemon ended the stream\n");
  EXPECT_EQ(std::ranges::count(people.out, '\n'), 3);
  EXPECT_THAT(people.out, HasSubstr("… 3 changes not shown"));
  EXPECT_EQ(against(stream, {"watch", "--json"}).out, record + "{\"dropped\":3}\n" + record);
}

TEST_F(Commands, NoDaemonIsASentenceWithAdvice) {
  const Outcome outcome = palang_says({"status", "--socket", "/tmp/palang-nobody-is-here.sock"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err,
            "palang: the daemon does not answer on /tmp/palang-nobody-is-here.sock: there is no such socket; start it "
            "with 'systemctl start palang' or './run.sh'\n");
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Commands, ADeadSocketRefuses) {
  FakeDaemon daemon([](const std::string&) { return ""; });
  daemon.finish();
  const Outcome outcome = palang_says({"status", "--socket", daemon.path()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(daemon.path() + ": connection refused; start it with"));
}

TEST_F(Commands, StrangeAnswersAreFaults) {
  EXPECT_EQ(against("", {"status"}).code, 1);
  EXPECT_EQ(against("garbage\r\n\r\n", {"status"}).code, 1);
  EXPECT_EQ(against(http(200, "{}"), {"status"}).code, 1);
  const Outcome redirected =
      against("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
              {"status"});
  EXPECT_EQ(redirected.code, 1);
  EXPECT_EQ(redirected.err, "palang: the daemon refused with HTTP status 302\n");
  EXPECT_EQ(against(http(500, R"({"error":"a\u001b[31m","kind":"fault"})"), {"status"}).err, "palang: a\\x1b[31m\n");
}

TEST_F(Commands, AProxyInTheEnvironmentIsNotAsked) {
  ::setenv("http_proxy", "http://192.0.2.1:3128", 1);
  const Outcome outcome = against(http(200, golden::status), {"status", "--json"});
  ::unsetenv("http_proxy");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(first_line(), "GET /v1/status HTTP/1.1");
}

struct Misuse {
  std::vector<std::string> words;
  std::string says;
};

TEST_F(Commands, MisuseIsTwoAndASentence) {
  const Misuse table[] = {
      {{}, "subcommand is required"},
      {{"stats"}, "there is no command 'stats'; did you mean 'status'?"},
      {{"\x1b[2J"}, "there is no command '\\x1b[2J' (see palang --help)"},
      {{"status", "more", nowhere}, "not expected: more"},
      {{"why", nowhere}, "address is required"},
      {{"why", "nobody", nowhere}, "nobody"},
      {{"ban", nowhere}, "prefix is required"},
      {{"ban", "198.51.100.1/24", nowhere}, "198.51.100.0/24"},
      {{"ban", "198.51.100.1", "--for", "3", nowhere}, "'3' is not a duration"},
      {{"ban", "198.51.100.1", "--scope", "wide", nowhere}, "wide"},
      {{"unban", nowhere}, "Exactly 1 option from [prefix,--all] is required"},
      {{"unban", "198.51.100.1", "--all", nowhere}, "2 were given"},
      {{"allow", "192.0.2.1", "--remove", "--for", "1d", nowhere}, "excludes"},
      {{"list", "--limit", "-1", nowhere}, "'-1' is not a number from 0"},
      {{"list", "--sort", "size", nowhere}, "size"},
  };
  for (const Misuse& misuse : table) {
    const Outcome outcome = palang_says(misuse.words);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("palang: "));
    EXPECT_THAT(outcome.err, HasSubstr(misuse.says));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Commands, HelpIsNoError) {
  const Outcome outcome = palang_says({"ban", "--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("--reason"));
}

TEST(ConsoleOfProcess, IsPlainWhereOutputIsNoTerminal) {
  if (::isatty(STDOUT_FILENO) == 1) GTEST_SKIP() << "standard output is a terminal";
  ::unsetenv("NO_COLOR");
  ::unsetenv("COLUMNS");
  EXPECT_FALSE(Console::of_process().colour);
  EXPECT_EQ(Console::of_process().width, 0U);
  ::setenv("COLUMNS", "72", 1);
  EXPECT_EQ(Console::of_process().width, 72U);
  ::setenv("COLUMNS", "7x", 1);
  EXPECT_EQ(Console::of_process().width, 0U);
  ::unsetenv("COLUMNS");
}

}  // namespace
}  // namespace palang
