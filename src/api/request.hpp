#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/command.hpp"

namespace palang {

// One HTTP request as it came; docs/api.md has the routes.
struct HttpRequest {
  std::string_view method;  // "GET"
  std::string_view path;    // "/v1/bans"
  std::string_view query;   // behind the '?', still percent-encoded
  std::string_view body;
};

// Routes that answer with something other than the reply to a Command.
inline constexpr std::string_view watch_path = "/v1/watch";
inline constexpr std::string_view metrics_path = "/metrics";

// The methods of a path as the Allow header names them, "GET, POST"; empty: there is no such path.
[[nodiscard]] std::string allowed_methods(std::string_view path);

// What the request asks of the daemon. Errors: usage, or not_found for a path that is no command's. Pure.
[[nodiscard]] Result<Command> parse_request(const HttpRequest& request);

// That a request has no parameters, where it may have none.
[[nodiscard]] Result<void> expect_no_query(std::string_view query);

}  // namespace palang
