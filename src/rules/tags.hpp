#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace palang {

// Names of the groups that tags become.
inline constexpr std::string_view addr_group = "ADDR";
inline constexpr std::string_view user_group = "USER";
inline constexpr std::string_view port_group = "PORT";
inline constexpr std::string_view path_group = "PATH";

// The pattern for PCRE2 with its tags replaced: <ADDR> an IP address (4, 6, [6], 6%zone), never a piece of a longer
// one; <USER>, <PATH> and <ANY> any text, as short as possible; <PORT> a number; <WORD> no space. An unknown tag is an
// error.
[[nodiscard]] Result<std::string> expand_tags(std::string_view pattern);

// The same pattern without the tags that stand for all that is left of the line. They take no searching.
[[nodiscard]] std::string without_last_text(std::string_view pattern);

// A pattern that matches wherever that of expand_tags() does, and is easy on a prefilter: what tags stand for is loose.
[[nodiscard]] std::string loosen_tags(std::string_view pattern);

}  // namespace palang
