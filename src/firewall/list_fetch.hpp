#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/firewall_settings.hpp"

namespace palang {

struct FetchOptions {
  std::string directory;                 // of the last good copies, NAME.txt, and what is known of each, NAME.origin
  std::string ca_file;                   // certificates to trust; "": those of the system
  size_t most_bytes = size_t{64} << 20;  // of a list, unpacked
  long seconds = 120;                    // that a transfer may take
  bool now = false;                      // though the last copy is younger than the list's refresh
};

struct FetchedList {
  enum class Outcome : uint8_t { too_young, unchanged, updated };
  Outcome outcome = Outcome::too_young;
  size_t entries = 0;  // of the copy, where it was updated
};

// Fetches a list by its url, https:// or file://, if its copy is old enough. What is no list of at most `most` entries
// is refused: then, as after any other error, the last good copy stays, and the error says so.
[[nodiscard]] Result<FetchedList> fetch_list(const FirewallList& list, const FetchOptions& options, WallTime now);

// When the copy of a list was fetched or confirmed last; the epoch: never.
[[nodiscard]] WallTime fetched_at(const FirewallList& list, const std::string& directory);

}  // namespace palang
