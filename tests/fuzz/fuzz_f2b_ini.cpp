// A filter file of fail2ban, whatever stands in it: complaints with its name, and a definition or an error in words.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/f2b_definition.hpp"
#include "rules/f2b_dialect.hpp"
#include "rules/f2b_jails.hpp"
#include "rules/f2b_pattern.hpp"
#include "rules/f2b_report.hpp"
#include "rules/f2b_tags.hpp"

namespace {

using namespace palang::f2b;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_values(const Values& values) {
  for (const auto& [name, value] : values) {
    require(value.size() <= 2 * max_value);
    for (const std::string_view line : split_lines(std::string_view(value).substr(0, 4096))) {
      const std::string expanded = expand_tags(line, true);
      require(!to_pcre(expanded, false).empty() || expanded.empty() || expanded.starts_with("(?#"));
      (void)why_tricked(line, "");
      (void)read_time(line);
      (void)split_references(line);
      if (const auto reference = read_reference(line)) require(!reference->name.empty());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const IniFile ini = read_ini(text, "fuzz.conf");
  for (const std::string& complaint : ini.complaints) require(complaint.starts_with("fuzz.conf:"));
  Config config;
  config.add(ini, "fuzz.conf");
  const auto file = FilterFile::from("fuzz", std::move(config));
  if (!file) return 0;
  const auto combined = file->combine({}, {{"mode", "normal"}}, true);
  if (!combined) {
    require(!combined.error().text.empty());
    return 0;
  }
  check_values(*combined);
  const Definition definition = file->define(*combined, {});
  require(definition.maxlines >= 1 && definition.maxlines <= 100);
  return 0;
}
