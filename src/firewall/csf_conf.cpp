#include "firewall/csf_conf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "firewall/csf_options.hpp"

namespace palang::foreign::csf {

namespace {

bool is_option_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void complain_of_unknown(const Place& place, std::string_view name, ImportReport& report) {
  const std::string_view near = nearest(name, option_names());
  report.fault(place, std::string(name),
               near.empty() ? "CSF has no such option" : fmt::format("CSF has no such option; did it mean {}?", near));
}

}  // namespace

Conf Conf::parse(std::string_view text, const std::string& file, ImportReport& report) {
  Conf conf;
  conf.missing_.place.file = file;
  uint32_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const Place place{file, ++number};
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = std::min(line.find('='), line.size());
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == line.size() || !is_option_name(name)) {
      report.fault(place, std::string(line), "this is no line of the form NAME = \"VALUE\"");
      continue;
    }
    std::string_view value = trim(line.substr(equals + 1));
    const size_t close = value.starts_with('"') ? value.find('"', 1) : std::string_view::npos;
    if (close == std::string_view::npos) {
      report.fault(place, std::string(name), "its value doesn't stand in double quotes");
      continue;
    }
    value = value.substr(1, close - 1);
    if (!find_option(name)) {
      complain_of_unknown(place, name, report);
      continue;
    }
    conf.settings_[std::string(name)] = {std::string(value), place};
  }
  return conf;
}

const Conf::Setting& Conf::at(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? missing_ : found->second;
}

bool Conf::is_on(std::string_view name) const {
  const std::string_view value = trim(text(name));
  return !value.empty() && value != "0";
}

uint32_t Conf::number(std::string_view name, uint32_t otherwise, ImportReport& report) const {
  const Setting& setting = at(name);
  if (trim(setting.value).empty()) return otherwise;
  if (const auto number = read_number(trim(setting.value))) return *number;
  report.fault(setting.place, std::string(name),
               fmt::format("\"{}\" is no number; {} is taken", setting.value, otherwise));
  return otherwise;
}

std::optional<uint32_t> read_number(std::string_view digits) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace palang::foreign::csf
