#pragma once

#include <optional>
#include <string_view>

#include "model/log_line.hpp"
#include "parse/log_time.hpp"

namespace palang {

// Reads an access line in the common or combined form of nginx and Apache, also with a virtual host (and port) first:
//   [host[:port] ]client ident user [time] "request" status bytes[ "referer" "agent"][ …]
// Nothing if it has not this form, or its client is no address. What a stranger writes (user, request, referer, agent,
// host) can't change what is read of the rest: servers escape quotes in it. Allocates nothing.
[[nodiscard]] std::optional<HttpAccess> read_access_line(std::string_view line, LogTimeReader& times);

// "GET /path HTTP/1.1" into method and target; a line that is none is the target, without a method.
void read_request_line(std::string_view request, HttpAccess& access);

}  // namespace palang
