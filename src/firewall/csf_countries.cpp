#include "firewall/csf_countries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace palang::foreign::csf {

namespace {

struct CountryOption {
  std::string_view name;
  std::string_view effect;  // what is missing now
};

constexpr std::array country_options{
    CountryOption{"CC_DENY", "they are not shut out"},
    CountryOption{"CC_ALLOW", "closed ports stay closed to them"},
    CountryOption{"CC_ALLOW_FILTER", "open ports are open to all others, too"},
    CountryOption{"CC_ALLOW_PORTS", "the ports of CC_ALLOW_PORTS_TCP and _UDP stay closed to them"},
    CountryOption{"CC_DENY_PORTS", "the ports of CC_DENY_PORTS_TCP and _UDP stay open to them"},
    CountryOption{"CC_IGNORE", "they are judged"},
};

bool is_country_code(std::string_view code) {
  return code.size() == 2 &&
         std::ranges::all_of(code, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

bool is_as_number(std::string_view code) {
  return code.size() > 2 && (code.starts_with("AS") || code.starts_with("as")) &&
         read_number(code.substr(2)).has_value();
}

}  // namespace

void import_countries(const Context& context) {
  ImportReport& report = context.import.report;
  for (const CountryOption& option : country_options) {
    const auto& setting = context.conf.at(option.name);
    std::vector<std::string> codes;
    for (std::string_view code : split(setting.value, ',')) {
      code = trim(code);
      if (code.empty()) continue;
      if (is_country_code(code) || is_as_number(code))
        codes.emplace_back(code);
      else
        report.fault(setting.place, std::string(option.name),
                     fmt::format("\"{}\" is neither an ISO code of a country nor an AS number", code));
    }
    if (!codes.empty())
      report.left_out(setting.place, fmt::format("{} {}", option.name, fmt::join(codes, ",")),
                      fmt::format("palang has no database of countries: {}", option.effect));
  }
}

}  // namespace palang::foreign::csf
