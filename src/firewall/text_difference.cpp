#include "firewall/text_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/text.hpp"

namespace palang {
namespace {

constexpr size_t around = 2;
constexpr size_t most_lines = 4000;  // the comparison takes memory by their square

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    lines.push_back(line);
  }
  return lines;
}

struct Line {
  char mark;
  std::string_view text;
};

// By the longest common subsequence.
std::vector<Line> compare(const std::vector<std::string_view>& was, const std::vector<std::string_view>& is) {
  const size_t width = is.size() + 1;
  std::vector<uint16_t> common((was.size() + 1) * width, 0);
  for (size_t i = was.size(); i-- > 0;)
    for (size_t j = is.size(); j-- > 0;)
      common[i * width + j] = was[i] == is[j] ? static_cast<uint16_t>(common[(i + 1) * width + j + 1] + 1)
                                              : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
  std::vector<Line> lines;
  size_t i = 0, j = 0;
  while (i < was.size() || j < is.size()) {
    if (i < was.size() && j < is.size() && was[i] == is[j]) {
      lines.push_back({' ', was[i]});
      ++i, ++j;
    } else if (j == is.size() || (i < was.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      lines.push_back({'-', was[i++]});
    } else {
      lines.push_back({'+', is[j++]});
    }
  }
  return lines;
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// "goto fw_open_3" → "goto fw_open"
std::string without_generation(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const size_t at = line.find("fw_");
    if (at == std::string_view::npos) break;
    text += line.substr(0, at);
    size_t end = at;
    while (end < line.size() && is_name(line[end])) ++end;
    const std::string_view name = line.substr(at, end - at);
    const size_t last = name.rfind('_');
    const bool number = last > 2 && last + 1 < name.size() &&
                        std::ranges::all_of(name.substr(last + 1), [](char c) { return c >= '0' && c <= '9'; });
    text += number ? name.substr(0, last) : name;
    line.remove_prefix(end);
  }
  return text + std::string(line);
}

}  // namespace

std::string text_difference(std::string_view was, std::string_view is) {
  const auto before = lines_of(was);
  const auto after = lines_of(is);
  if (before == after) return {};
  if (before.size() > most_lines || after.size() > most_lines)
    return fmt::format("- {} lines\n+ {} lines\n", before.size(), after.size());
  const auto lines = compare(before, after);
  std::string text;
  std::string_view chain, shown_chain;
  size_t last_shown = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].text.starts_with("  chain ")) chain = lines[i].text;
    const size_t from = i > around ? i - around : 0;
    const size_t to = std::min(i + around + 1, lines.size());
    const bool near =
        std::any_of(lines.begin() + static_cast<ptrdiff_t>(from), lines.begin() + static_cast<ptrdiff_t>(to),
                    [](const Line& line) { return line.mark != ' '; });
    if (!near) continue;
    if (last_shown + 1 < i + 1 && i > 0 && last_shown != i) {
      text += "@@\n";
      if (!chain.empty() && chain != shown_chain && lines[i].text != chain) text += fmt::format("  {}\n", chain);
    }
    if (!chain.empty()) shown_chain = chain;
    text += fmt::format("{} {}\n", lines[i].mark, lines[i].text);
    last_shown = i + 1;
  }
  return text;
}

std::string comparable_policy(std::string_view text) {
  constexpr size_t shown_elements = 32;
  std::string out;
  const auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    out += without_generation(lines[i]) + "\n";
    if (!lines[i].starts_with("add element ")) continue;
    size_t end = i + 1;
    size_t elements = 0;
    uint64_t sum = 0;  // so that other elements of the same number are seen
    for (; end < lines.size() && lines[end] != "}"; ++end) {
      elements += static_cast<size_t>(std::ranges::count(lines[end], ',')) + 1;
      for (const char c : lines[end]) sum = sum * 1099511628211ULL + static_cast<unsigned char>(c);
    }
    if (elements <= shown_elements) continue;
    out += fmt::format("  {} or so entries, {:08x}\n", elements, sum & 0xffffffffU);
    i = end - 1;
  }
  return out;
}

}  // namespace palang
