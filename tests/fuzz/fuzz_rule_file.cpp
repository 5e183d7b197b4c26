// A rule file, whatever stands in it: a rule that the loader takes can be compiled, and each fault is one line that
// says where.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rules/rule_file.hpp"
#include "rules/rule_set.hpp"

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace palang;
  const std::vector<RuleText> files{{"fuzz.toml", std::string(reinterpret_cast<const char*>(data), size)}};
  const LoadedRules loaded = read_rules({}, files);
  for (const std::string& fault : loaded.faults) {
    require(fault.starts_with("fuzz.toml:"));
    require(fault.find('\n') == std::string::npos);
  }
  for (const RuleDefinition& rule : loaded.rules) {
    require(!rule.settings.name.empty());
    for (const std::string& pattern : rule.patterns) require(pattern.starts_with('^'));
  }
  require(RuleSet::compile(loaded.rules).has_value());
  return 0;
}
