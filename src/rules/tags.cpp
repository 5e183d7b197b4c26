#include "rules/tags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hpp"

namespace palang {
namespace {

// No digits more or less than the line has: (?>…) below gives nothing back, and no digit of an address may stand before
// or behind.
constexpr std::string_view v4_text = R"((?<!\d)(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d))";
constexpr std::string_view v6_text =
    R"((?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)|[0-9A-Fa-f]{1,4}(?![0-9A-Fa-f])|(?<=::)))";

struct Tag {
  std::string_view name;
  std::string text;
  std::string_view loose;
};

const std::array<Tag, 6>& known_tags() {
  static const std::string address = fmt::format("(?>{}|{})", v4_text, v6_text);
  static const std::array<Tag, 6> tags{{
      {"ADDR", R"((?|\[(?<ADDR>)" + address + R"()(?:%[\w.-]+)?\]|(?<ADDR>)" + address + R"()(?:%[\w.-]+)?))",
       R"(\S+)"},
      {"USER", "(?<USER>.*?)", ".*"},
      {"PATH", "(?<PATH>.*?)", ".*"},
      {"PORT", R"((?<PORT>\d{1,5}))", R"(\d+)"},
      {"WORD", R"(\S+)", R"(\S+)"},
      {"ANY", ".*?", ".*"},
  }};
  return tags;
}

bool is_tag_letter(char c) {
  return (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || (c >= '0' && c <= '9');
}

Failure unknown_tag(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Tag& tag : known_tags()) names.push_back(tag.name);
  const std::string_view near = nearest(name, names);
  return fail(fmt::format("<{}> is no tag; {}", name,
                          near.empty() ? fmt::format("there are <{}>", fmt::join(names, ">, <"))
                                       : fmt::format("did you mean <{}>?", near)));
}

Result<std::string> replace_tags(std::string_view pattern, bool loose) {
  std::string expanded;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    const bool escaped = c == '\\' && at + 1 < pattern.size();
    // "(?<NAME>", "(?P<NAME>" and "\k<NAME>" are none of ours.
    const bool group = pattern.substr(0, at).ends_with("(?") || pattern.substr(0, at).ends_with("(?P");
    if (c != '<' || group) {
      expanded.push_back(c);
      if (escaped) expanded.push_back(pattern[++at]);
      continue;
    }
    size_t end = at + 1;
    while (end < pattern.size() && is_tag_letter(pattern[end])) ++end;
    if (end == at + 1 || end == pattern.size() || pattern[end] != '>') {
      expanded.push_back(c);
      continue;
    }
    const std::string_view name = pattern.substr(at + 1, end - at - 1);
    const auto found = std::ranges::find(known_tags(), name, &Tag::name);
    if (found == known_tags().end()) return unknown_tag(name);
    expanded.append(loose ? found->loose : std::string_view(found->text));
    at = end;
  }
  return expanded;
}

}  // namespace

Result<std::string> expand_tags(std::string_view pattern) {
  return replace_tags(pattern, false);
}

std::string loosen_tags(std::string_view pattern) {
  return replace_tags(pattern, true).value_or("");
}

}  // namespace palang
