#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "firewall/import_report.hpp"

namespace palang::foreign::csf {

// Reads a whole file; not_found where there is none. The one thing the readers want of the outside.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// One line with something on it.
struct Line {
  Place place;
  std::string text;     // before the comment
  std::string comment;  // behind #
};

// The lines of one of CSF's lists, with those of the files that it names by "Include PATH" in their place. What is
// wrong goes to the report, and the rest is read all the same. A file that is not there has no lines.
[[nodiscard]] std::vector<Line> read_lines(const std::string& path, const ReadFile& read, ImportReport& report);

// As lfd does where it splits: at every `separator`, empty pieces stay.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace palang::foreign::csf
