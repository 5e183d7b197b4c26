#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rule_examples.hpp"

// What attackers write into the fields of a log line that are theirs, to have somebody else blamed.
namespace palang::hostile {

// Addresses of those who are to be blamed; no example has them.
inline constexpr std::string_view victims[] = {"198.51.100.9", "2001:db8:bad::9", "::ffff:198.51.100.9"};

// Texts that name a victim: addresses as log lines write them, and the messages of `rules`, whole and in pieces, as if
// they told of the victim.
[[nodiscard]] std::vector<std::string> texts(std::span<const RuleDefinition* const> rules);

struct Outcome {
  size_t lines = 0;                 // that were tried
  std::vector<std::string> misled;  // lines for which somebody was blamed whose line it was not
};

// Puts each text into each field of each example that a stranger writes, as it is and with the escapes that
// servers use; and in all of them at once. Whatever rule of the reader's finds something, it must be the sender.
void inject(ExampleReader& reader, std::span<const RuleDefinition* const> rules, Outcome& outcome);

}  // namespace palang::hostile
