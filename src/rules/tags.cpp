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
  std::string last = {};  // where nothing but the end of the line may follow
};

// All that is left of the line. If a line end follows that is not the last, no other beginning would help.
constexpr std::string_view left_text = ".*+(?:$|(*COMMIT)(*FAIL))";

const std::array<Tag, 6>& known_tags() {
  static const std::string address = fmt::format("(?>{}|{})", v4_text, v6_text);
  static const std::array<Tag, 6> tags{{
      {"ADDR", R"((?|\[(?<ADDR>)" + address + R"()(?:%[\w.-]+)?\]|(?<ADDR>)" + address + R"()(?:%[\w.-]+)?))",
       R"(\S+)"},
      {"USER", "(?<USER>.*?)", ".*", fmt::format("(?<USER>{})", left_text)},
      {"PATH", "(?<PATH>.*?)", ".*", fmt::format("(?<PATH>{})", left_text)},
      {"PORT", R"((?<PORT>\d{1,5}))", R"(\d+)"},
      {"WORD", R"(\S+)", R"(\S+)"},
      {"ANY", ".*?", ".*", std::string(left_text)},
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

// Behind the group in which `rest` begins; npos if it isn't closed.
size_t end_of_group(std::string_view rest) {
  size_t depth = 0;
  for (size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '\\')
      ++at;
    else if (rest[at] == '(')
      ++depth;
    else if (rest[at] == '[')
      return std::string_view::npos;  // in doubt
    else if (rest[at] == ')' && depth-- == 0)
      return at;
  }
  return std::string_view::npos;
}

// Whether the end of the line is all that the pattern has behind a tag: "$", ")$", ")?$", "|…)$".
bool ends_line(std::string_view rest) {
  while (!rest.empty() && rest != "$") {
    if (rest.front() == '|') rest.remove_prefix(std::min(end_of_group(rest.substr(1)), rest.size() - 1) + 1);
    if (!rest.starts_with(')')) return false;
    rest.remove_prefix(rest.starts_with(")?") ? 2 : 1);
  }
  return rest == "$";
}

enum class Form : uint8_t { exact, loose, without_last };

// What stands for `tag` ("<USER>") in this form.
std::string_view instead_of(std::string_view tag, const Tag& known, Form form, std::string_view rest) {
  if (form == Form::loose) return known.loose;
  const bool is_last = !known.last.empty() && ends_line(rest);
  if (form == Form::without_last) return is_last ? std::string_view() : tag;
  return is_last ? known.last : known.text;
}

Result<std::string> replace_tags(std::string_view pattern, Form form) {
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
    const std::string_view rest = pattern.substr(end + 1);
    expanded.append(instead_of(pattern.substr(at, end + 1 - at), *found, form, rest));
    at = end;
  }
  return expanded;
}

}  // namespace

Result<std::string> expand_tags(std::string_view pattern) {
  return replace_tags(pattern, Form::exact);
}

std::string without_last_text(std::string_view pattern) {
  return replace_tags(pattern, Form::without_last).value_or(std::string(pattern));
}

std::string loosen_tags(std::string_view pattern) {
  return replace_tags(pattern, Form::loose).value_or("");
}

}  // namespace palang
