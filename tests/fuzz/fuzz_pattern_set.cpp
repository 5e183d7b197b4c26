// A pattern on the first line and a message behind it: what matches is a candidate, too, in each of the ways in which
// candidates are found.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rules/ambiguity.hpp"
#include "rules/pattern_cost.hpp"
#include "rules/pattern_set.hpp"
#include "rules/regex.hpp"
#include "rules/tags.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

bool is_candidate(const std::string& text, const std::string& simple, size_t copies, std::string_view message) {
  const std::vector<PatternSet::Pattern> patterns(copies, {text, false, false, simple});
  const PatternSet set = PatternSet::compile(patterns);
  ScanMemory memory;
  std::vector<uint32_t> ids;
  set.candidates(message, memory, ids);
  require(std::ranges::is_sorted(ids));
  return ids.size() == copies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t longest_pattern = 200;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), input.size());
  if (end > longest_pattern) return 0;
  const std::string pattern(input.substr(0, end));
  const std::string_view rest = input.substr(std::min(end + 1, input.size()));
  const std::string_view message = rest.substr(0, rest.find('\n'));
  (void)why_ambiguous(pattern);
  (void)is_linear(pattern);
  const auto expanded = expand_tags(pattern);
  if (!expanded) return 0;
  const auto regex = Regex::compile(*expanded);
  if (!regex) return 0;
  Captures captures;
  if (!regex->match(message, captures)) return 0;
  const auto prefixes = literal_prefixes(*expanded);
  const auto begins = [&](const std::string& prefix) { return message.starts_with(prefix); };
  require(prefixes.empty() || std::ranges::any_of(prefixes, begins));
  require(is_candidate(*expanded, "", 1, message));
  constexpr size_t many = 8;  // that begin alike
  require(is_candidate(*expanded, loosen_tags(pattern), many, message));
  return 0;
}
