#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace palang::foreign::csf {

// What becomes of an option of csf.conf.
struct Option {
  std::string_view name;
  // Why it is not taken over, a sentence; "" where an importer deals with it.
  std::string_view why_not;
};

// Options of CSF up to version 15; numbered ones (CUSTOM1_LOG) and ports of services (PORTS_sshd) included.
[[nodiscard]] std::optional<Option> find_option(std::string_view name);

// All names, for finding what a misspelt one meant.
[[nodiscard]] std::span<const std::string_view> option_names();

}  // namespace palang::foreign::csf
