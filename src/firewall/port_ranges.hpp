#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palang::foreign {

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// "22", or "2000:3000" with the separator that is named.
[[nodiscard]] std::optional<PortRange> read_port_range(std::string_view text, char separator);

// As palang.toml writes it: "22", "2000-3000".
[[nodiscard]] std::string port_text(const PortRange& range);
[[nodiscard]] std::vector<std::string> port_texts(const std::vector<PortRange>& ranges);

// Sorted, without overlaps, and neighbours joined.
[[nodiscard]] std::vector<PortRange> merged(std::vector<PortRange> ranges);
// Ports of both, and ports of the first that the second doesn't have; arguments and results are merged.
[[nodiscard]] std::vector<PortRange> common(const std::vector<PortRange>& a, const std::vector<PortRange>& b);
[[nodiscard]] std::vector<PortRange> without(const std::vector<PortRange>& a, const std::vector<PortRange>& b);

}  // namespace palang::foreign
