#include "api/request.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "api/parameters.hpp"
#include "base/text.hpp"

namespace palang {
namespace {

using Keys = std::span<const std::string_view>;

constexpr std::array<Scope, 2> scopes{Scope::quiet, Scope::full};
constexpr std::array<Origin, 5> origins{Origin::local, Origin::manual, Origin::imported, Origin::feed, Origin::fleet};
constexpr std::array<ListBans::Order, 4> orders{ListBans::Order::until, ListBans::Order::from, ListBans::Order::hits,
                                                ListBans::Order::prefix};

std::string_view order_name(ListBans::Order order) {
  switch (order) {
    case ListBans::Order::until: return "until";
    case ListBans::Order::from: return "from";
    case ListBans::Order::hits: return "hits";
    case ListBans::Order::prefix: return "prefix";
  }
  return "?";
}

Result<Command> get_status(const Parameters&) {
  return GetStatus{};
}

constexpr std::array<std::string_view, 6> list_keys{"within", "rule", "scope", "origin", "order", "limit"};

Result<Command> list_bans(const Parameters& given) {
  const auto within = given.optional_prefix("within");
  if (!within) return Failure(within.error());
  const auto rule = given.one_of<Rule>("rule", known_rules(), rule_name);
  if (!rule) return Failure(rule.error());
  const auto scope = given.one_of<Scope>("scope", scopes, scope_name);
  if (!scope) return Failure(scope.error());
  const auto origin = given.one_of<Origin>("origin", origins, origin_name);
  if (!origin) return Failure(origin.error());
  const auto order = given.one_of<ListBans::Order>("order", orders, order_name);
  if (!order) return Failure(order.error());
  const auto limit = given.number("limit");
  if (!limit) return Failure(limit.error());
  return ListBans{*within, *rule, *scope, *origin, order->value_or(ListBans{}.order), *limit};
}

constexpr std::array<std::string_view, 1> list_allowed_keys{"within"};

Result<Command> list_allowed(const Parameters& given) {
  const auto within = given.optional_prefix("within");
  if (!within) return Failure(within.error());
  return ListAllowed{*within};
}

constexpr std::array<std::string_view, 1> why_keys{"address"};

Result<Command> explain(const Parameters& given) {
  const auto address = given.address("address");
  if (!address) return Failure(address.error());
  return ExplainAddress{*address};
}

Result<Command> progress(const Parameters& given) {
  const auto address = given.address("address");
  if (!address) return Failure(address.error());
  return GetProgress{*address};
}

constexpr std::array<std::string_view, 4> ban_keys{"prefix", "for", "scope", "reason"};

Result<Command> ban(const Parameters& given) {
  const auto prefix = given.prefix("prefix");
  if (!prefix) return Failure(prefix.error());
  const auto length = given.optional_duration("for");
  if (!length) return Failure(length.error());
  const auto scope = given.one_of<Scope>("scope", scopes, scope_name);
  if (!scope) return Failure(scope.error());
  auto reason = given.free_text("reason");
  if (!reason) return Failure(reason.error());
  return BanPrefix{*prefix, *length, *scope, std::move(*reason)};
}

constexpr std::array<std::string_view, 2> unban_keys{"prefix", "all"};

Result<Command> unban(const Parameters& given) {
  const auto all = given.flag("all");
  if (!all) return Failure(all.error());
  if (*all == given.has("prefix")) return Failure(Error::usage("give either prefix=… or all=true"));
  const auto prefix = given.optional_prefix("prefix");
  if (!prefix) return Failure(prefix.error());
  return UnbanPrefix{*prefix};
}

constexpr std::array<std::string_view, 3> allow_keys{"prefix", "for", "note"};

Result<Command> allow(const Parameters& given) {
  const auto prefix = given.prefix("prefix");
  if (!prefix) return Failure(prefix.error());
  const auto length = given.optional_duration("for");
  if (!length) return Failure(length.error());
  auto note = given.free_text("note");
  if (!note) return Failure(note.error());
  return AllowPrefix{*prefix, *length, std::move(*note)};
}

constexpr std::array<std::string_view, 1> disallow_keys{"prefix"};

Result<Command> disallow(const Parameters& given) {
  const auto prefix = given.prefix("prefix");
  if (!prefix) return Failure(prefix.error());
  return DisallowPrefix{*prefix};
}

Result<Command> reload(const Parameters&) {
  return ReloadConfig{};
}

constexpr std::array<std::string_view, 1> stop_keys{"lift"};

Result<Command> stop(const Parameters& given) {
  const auto lift = given.flag("lift");
  if (!lift) return Failure(lift.error());
  return StopDaemon{*lift};
}

struct Route {
  std::string_view method;
  std::string_view path;
  Keys keys;
  Result<Command> (*parse)(const Parameters&);
};

constexpr std::array<Route, 11> routes{{
    {"GET", "/v1/status", {}, get_status},
    {"GET", "/v1/bans", list_keys, list_bans},
    {"POST", "/v1/bans", ban_keys, ban},
    {"DELETE", "/v1/bans", unban_keys, unban},
    {"GET", "/v1/why", why_keys, explain},
    {"GET", "/v1/progress", why_keys, progress},
    {"GET", "/v1/allow", list_allowed_keys, list_allowed},
    {"POST", "/v1/allow", allow_keys, allow},
    {"DELETE", "/v1/allow", disallow_keys, disallow},
    {"POST", "/v1/reload", {}, reload},
    {"POST", "/v1/stop", stop_keys, stop},
}};

Result<Parameters> read_parameters(const HttpRequest& request, Keys keys) {
  if (request.method != "POST") return Parameters::from_query(request.query, keys);
  if (!request.query.empty()) return Failure(Error::usage("a POST takes its parameters in the body, not in the query"));
  return Parameters::from_body(request.body, keys);
}

}  // namespace

std::string allowed_methods(std::string_view path) {
  if (path == watch_path || path == metrics_path) return "GET";
  std::string methods;
  for (const Route& route : routes) {
    if (route.path != path) continue;
    methods.append(methods.empty() ? "" : ", ").append(route.method);
  }
  return methods;
}

Result<Command> parse_request(const HttpRequest& request) {
  for (const Route& route : routes) {
    if (route.path != request.path || route.method != request.method) continue;
    const Result<Parameters> parameters = read_parameters(request, route.keys);
    if (!parameters) return Failure(parameters.error());
    return route.parse(*parameters);
  }
  const std::string path = escape_controls(request.path.substr(0, 80));
  const std::string methods = allowed_methods(request.path);
  if (methods.empty())
    return Failure(Error::not_found(fmt::format("there is no {} here; docs/api.md has what is", path)));
  return Failure(Error::usage(fmt::format("{} takes {} only", path, methods)));
}

Result<void> expect_no_query(std::string_view query) {
  const Result<Parameters> parameters = Parameters::from_query(query, {});
  if (!parameters) return Failure(parameters.error());
  return {};
}

}  // namespace palang
