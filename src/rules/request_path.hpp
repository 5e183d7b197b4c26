#pragma once

#include <string>
#include <string_view>

namespace palang {

// The path of a request target as a server sees it: without scheme, host and query, %XX and a log's \xXX decoded once,
// "//" and "/./" as one slash. So what a rule says about a path can't be evaded by spelling it otherwise. The answer is
// in `target` or in `buffer`.
[[nodiscard]] std::string_view request_path(std::string_view target, std::string& buffer);

// Behind the first "?", as logged.
[[nodiscard]] std::string_view request_query(std::string_view target);

}  // namespace palang
