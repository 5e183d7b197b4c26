#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/firewall_settings.hpp"
#include "net/prefix.hpp"

namespace palang {

// What a [[firewall.list]] names: addresses and prefixes, and hosts that must be looked up.
struct ListContent {
  std::vector<Prefix> prefixes;
  std::vector<std::string> hosts;
};

// One entry a line; what follows it, or a #, is a note. Errors name `file_name` and the line.
[[nodiscard]] Result<ListContent> parse_list(std::string_view text, std::string_view file_name, uint32_t most);

// Reads a list from its file, or the last good copy of its url in `directory` (NAME.txt). A url that was never fetched
// is empty.
[[nodiscard]] Result<ListContent> read_list(const FirewallList& list, const std::string& directory);

// A whole file of at most `most_bytes`; only a regular one.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, size_t most_bytes);

}  // namespace palang
