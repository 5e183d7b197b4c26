#pragma once

#include <string>

#include "base/error.hpp"

namespace palang {

// Written beside the file and renamed into its place, so that nobody ever reads half of it. Its mode stays; a new one's
// is 0644.
[[nodiscard]] Result<void> write_file(const std::string& path, const std::string& text);

// "-" is standard input. At most 256 MiB; not_found where there is none.
[[nodiscard]] Result<std::string> read_whole_file(const std::string& path);

}  // namespace palang
