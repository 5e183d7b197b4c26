#include "api/request.hpp"

#include <gmock/gmock.h>

#include <string>

namespace palang {
namespace {

using testing::HasSubstr;

template <typename Expected>
Expected parsed(const HttpRequest& request) {
  const Result<Command> command = parse_request(request);
  EXPECT_TRUE(command.has_value()) << request.path << ": " << (command ? "" : command.error().text);
  if (!command || !std::holds_alternative<Expected>(*command)) {
    ADD_FAILURE() << request.method << " " << request.path << " became another command";
    return {};
  }
  return std::get<Expected>(*command);
}

Error refused(const HttpRequest& request) {
  const Result<Command> command = parse_request(request);
  EXPECT_FALSE(command.has_value()) << request.method << " " << request.path << " " << request.body;
  return command ? Error{} : command.error();
}

TEST(Request, CommandsWithoutParameters) {
  parsed<GetStatus>({"GET", "/v1/status", "", ""});
  parsed<ReloadConfig>({"POST", "/v1/reload", "", ""});
  parsed<ReloadConfig>({"POST", "/v1/reload", "", "{}"});
  EXPECT_FALSE(parsed<StopDaemon>({"POST", "/v1/stop", "", ""}).lift);
  EXPECT_TRUE(parsed<StopDaemon>({"POST", "/v1/stop", "", R"({"lift":true})"}).lift);
}

TEST(Request, ListTakesEveryFilter) {
  const auto all = parsed<ListBans>({"GET", "/v1/bans", "", ""});
  EXPECT_FALSE(all.within || all.rule || all.scope || all.origin);
  EXPECT_EQ(all.order, ListBans::Order::from);
  EXPECT_EQ(all.limit, 0U);

  const auto some = parsed<ListBans>(
      {"GET", "/v1/bans", "within=198.51.100.0%2f24&rule=portscan&scope=full&origin=manual&order=hits&limit=50", ""});
  EXPECT_EQ(some.within, *Prefix::parse("198.51.100.0/24"));
  EXPECT_EQ(some.rule, Rule::portscan);
  EXPECT_EQ(some.scope, Scope::full);
  EXPECT_EQ(some.origin, Origin::manual);
  EXPECT_EQ(some.order, ListBans::Order::hits);
  EXPECT_EQ(some.limit, 50U);
}

TEST(Request, Why) {
  EXPECT_EQ(parsed<GetProgress>({"GET", "/v1/progress", "address=192.0.2.1", ""}).address,
            *Address::parse("192.0.2.1"));
  EXPECT_EQ(parsed<ExplainAddress>({"GET", "/v1/why", "address=2001%3Adb8%3A%3A1", ""}).address,
            *Address::parse("2001:db8::1"));
}

TEST(Request, Ban) {
  const auto ban = parsed<BanPrefix>(
      {"POST", "/v1/bans", "", R"({"prefix":"198.51.100.0/24","for":"3d","scope":"quiet","reason":"too loud"})"});
  EXPECT_EQ(ban.prefix, *Prefix::parse("198.51.100.0/24"));
  EXPECT_EQ(ban.length, one_day * 3);
  EXPECT_EQ(ban.scope, Scope::quiet);
  EXPECT_EQ(ban.reason, "too loud");

  const auto bare = parsed<BanPrefix>({"POST", "/v1/bans", "", R"({"prefix":"198.51.100.9","for":null})"});
  EXPECT_FALSE(bare.length || bare.scope);
}

TEST(Request, Unban) {
  EXPECT_EQ(parsed<UnbanPrefix>({"DELETE", "/v1/bans", "prefix=198.51.100.9", ""}).prefix,
            *Prefix::parse("198.51.100.9"));
  EXPECT_FALSE(parsed<UnbanPrefix>({"DELETE", "/v1/bans", "all=true", ""}).prefix);
}

TEST(Request, AllowAndDisallow) {
  const auto allow =
      parsed<AllowPrefix>({"POST", "/v1/allow", "", R"({"prefix":"192.0.2.0/24","for":"12h","note":"office"})"});
  EXPECT_EQ(allow.length, Duration{12h});
  EXPECT_EQ(allow.note, "office");
  EXPECT_EQ(parsed<DisallowPrefix>({"DELETE", "/v1/allow", "prefix=192.0.2.0%2F24", ""}).prefix,
            *Prefix::parse("192.0.2.0/24"));
}

TEST(Request, ListAllowed) {
  EXPECT_FALSE(parsed<ListAllowed>({"GET", "/v1/allow", "", ""}).within);
  EXPECT_EQ(parsed<ListAllowed>({"GET", "/v1/allow", "within=192.0.2.7", ""}).within, *Prefix::parse("192.0.2.7"));
  EXPECT_EQ(refused({"GET", "/v1/allow", "prefix=192.0.2.7", ""}).kind, ErrorKind::usage);
}

TEST(Request, EveryoneIsOnlyLiftedInSoManyWords) {
  for (const std::string_view query : {"", "all=false", "all=true&prefix=198.51.100.9", "all=yes", "all=", "all"})
    EXPECT_EQ(refused({"DELETE", "/v1/bans", query, ""}).kind, ErrorKind::usage) << query;
}

struct Refused {
  HttpRequest request;
  ErrorKind kind;
  std::string says;
};

TEST(Request, RefusalsSayWhatIsWrong) {
  const auto usage = ErrorKind::usage;
  const std::string long_reason = R"({"prefix":"192.0.2.1","reason":")" + std::string(501, 'x') + "\"}";
  const Refused table[] = {
      {{"GET", "/v1/nothing", "", ""}, ErrorKind::not_found, "there is no /v1/nothing here"},
      {{"GET", "/v1/\x1b[2J", "", ""}, ErrorKind::not_found, "there is no /v1/\\x1b[2J here"},
      {{"PUT", "/v1/bans", "", ""}, usage, "/v1/bans takes GET, POST, DELETE only"},
      {{"GET", "/v1/status", "x=1", ""}, usage, "unknown parameter 'x': this request takes none"},
      {{"GET", "/v1/bans", "limt=5", ""}, usage, "unknown parameter 'limt': did you mean 'limit'?"},
      {{"GET", "/v1/bans", "limit=5&limit=6", ""}, usage, "'limit' is given twice"},
      {{"GET", "/v1/bans", "limit=-1", ""}, usage, "limit: '-1' is not a number"},
      {{"GET", "/v1/bans", "limit=99999999999999999999", ""}, usage, "is not a number"},
      {{"GET", "/v1/bans", "limit=", ""}, usage, "limit: '' is not a number"},
      {{"GET", "/v1/bans", "order=untl", ""}, usage, "order: 'untl' is none of until, from, hits, prefix; did you"},
      {{"GET", "/v1/bans", "scope=wide", ""}, usage, "scope: 'wide' is none of quiet, full"},
      {{"GET", "/v1/bans", "within=198.51.100.1%2F24", ""}, usage, "198.51.100.0/24"},
      {{"GET", "/v1/bans", "within=%2", ""}, usage, "broken percent encoding in '%2'"},
      {{"GET", "/v1/bans", "within=%zz", ""}, usage, "broken percent encoding"},
      {{"GET", "/v1/why", "", ""}, usage, "'address' is missing"},
      {{"GET", "/v1/why", "address=nobody", ""}, usage, "address: "},
      {{"POST", "/v1/bans", "prefix=192.0.2.1", ""}, usage, "parameters in the body"},
      {{"POST", "/v1/bans", "", ""}, usage, "'prefix' is missing"},
      {{"POST", "/v1/bans", "", "[]"}, usage, "not a JSON object"},
      {{"POST", "/v1/bans", "", "{"}, usage, "not a JSON object"},
      {{"POST", "/v1/bans", "", "\xff"}, usage, "not a JSON object"},
      {{"POST", "/v1/bans", "", R"({"prefx":"192.0.2.1"})"}, usage, "did you mean 'prefix'?"},
      {{"POST", "/v1/bans", "", R"({"prefix":7})"}, usage, "prefix: expected a string, got number"},
      {{"POST", "/v1/bans", "", R"({"prefix":"192.0.2.1","for":"3"})"}, usage, "for: '3' is not a duration"},
      {{"POST", "/v1/bans", "", R"({"prefix":"192.0.2.1","for":"0s"})"}, usage, "for: must be longer than 0s"},
      {{"POST", "/v1/bans", "", R"({"prefix":"192.0.2.1","for":"4000d"})"}, usage, "for: at most 3650d"},
      {{"POST", "/v1/bans", "", long_reason}, usage, "reason: at most 500 bytes"},
      {{"POST", "/v1/stop", "", R"({"lift":"maybe"})"}, usage, "lift: 'maybe' is neither true nor false"},
  };
  for (const Refused& one : table) {
    const Error error = refused(one.request);
    EXPECT_EQ(error.kind, one.kind) << error.text;
    EXPECT_THAT(error.text, HasSubstr(one.says));
  }
}

TEST(Request, DeepJsonIsAnOrdinaryError) {
  EXPECT_EQ(refused({"POST", "/v1/bans", "", std::string(60'000, '[')}).kind, ErrorKind::usage);
  const std::string nested = R"({"prefix":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
  EXPECT_EQ(refused({"POST", "/v1/bans", "", nested}).kind, ErrorKind::usage);
}

TEST(Request, AllowedMethods) {
  EXPECT_EQ(allowed_methods("/v1/bans"), "GET, POST, DELETE");
  EXPECT_EQ(allowed_methods("/v1/watch"), "GET");
  EXPECT_EQ(allowed_methods("/metrics"), "GET");
  EXPECT_EQ(allowed_methods("/v1"), "");
}

}  // namespace
}  // namespace palang
