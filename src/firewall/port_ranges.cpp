#include "firewall/port_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "firewall/csf_conf.hpp"

namespace palang::foreign {

namespace {

std::optional<uint16_t> read_port(std::string_view text) {
  const auto number = csf::read_number(trim(text));
  if (!number || *number > 65'535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

}  // namespace

std::optional<PortRange> read_port_range(std::string_view text, char separator) {
  const size_t at = text.find(separator);
  const auto first = read_port(text.substr(0, at));
  const auto last = at == std::string_view::npos ? first : read_port(text.substr(at + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

std::string port_text(const PortRange& range) {
  return range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
}

std::vector<std::string> port_texts(const std::vector<PortRange>& ranges) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const PortRange& range : ranges) texts.push_back(port_text(range));
  return texts;
}

std::vector<PortRange> merged(std::vector<PortRange> ranges) {
  std::ranges::sort(ranges, {}, &PortRange::first);
  std::vector<PortRange> result;
  for (const PortRange& range : ranges) {
    if (!result.empty() && range.first <= uint32_t{result.back().last} + 1)
      result.back().last = std::max(result.back().last, range.last);
    else
      result.push_back(range);
  }
  return result;
}

std::vector<PortRange> common(const std::vector<PortRange>& a, const std::vector<PortRange>& b) {
  std::vector<PortRange> result;
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    const uint16_t first = std::max(a[i].first, b[k].first);
    const uint16_t last = std::min(a[i].last, b[k].last);
    if (first <= last) result.push_back({first, last});
    if (a[i].last < b[k].last)
      ++i;
    else
      ++k;
  }
  return result;
}

std::vector<PortRange> without(const std::vector<PortRange>& a, const std::vector<PortRange>& b) {
  std::vector<PortRange> result;
  for (const PortRange& range : a) {
    uint32_t next = range.first;
    for (const PortRange& hole : b) {
      if (hole.last < next || hole.first > range.last) continue;
      if (hole.first > next) result.push_back({static_cast<uint16_t>(next), static_cast<uint16_t>(hole.first - 1)});
      next = uint32_t{hole.last} + 1;
    }
    if (next <= range.last) result.push_back({static_cast<uint16_t>(next), range.last});
  }
  return result;
}

}  // namespace palang::foreign
