#include "model/toml_guard.hpp"

#include <algorithm>

namespace palang {
namespace {

// Our own keys have two.
constexpr int most_dots = 16;

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\r' && c != '\n');
}

// The index behind the string that begins at `at`; one without an end ends with its line, or with the text.
size_t end_of_string(std::string_view text, size_t at) {
  const char quote = text[at];
  const auto closes = [&](size_t i, size_t quotes) {
    return i + quotes <= text.size() && text.substr(i, quotes).find_first_not_of(quote) == std::string_view::npos;
  };
  const bool multi_line = closes(at, 3);
  const size_t quotes = multi_line ? 3 : 1;
  for (at += quotes; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == '\n' && !multi_line) {
      return at;
    } else if (closes(at, quotes)) {
      at += quotes;
      // A multi-line string may end in one or two quotes of its own.
      for (int own = 0; multi_line && own < 2 && at < text.size() && text[at] == quote; ++own) ++at;
      return at;
    }
  }
  return text.size();
}

}  // namespace

std::expected<std::string, UnsafeToml> guard_toml(std::string_view text) {
  static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  static constexpr std::string_view ends_key = ",=[]{}\n";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::string safe(text);
  const auto unsafe = [&](std::string::iterator place, std::string_view why) {
    return std::unexpected(UnsafeToml{1 + static_cast<uint32_t>(std::count(safe.begin(), place, '\n')), why});
  };
  if (const auto control = std::ranges::find_if(safe, is_control); control != safe.end())
    return unsafe(control, "a control character");

  int dots = 0;
  for (size_t at = 0; at < safe.size(); ++at) {
    const char c = safe[at];
    const auto here = safe.begin() + static_cast<std::ptrdiff_t>(at);
    if (c == '#') {
      for (; at < safe.size() && safe[at] != '\n'; ++at)
        if (!is_ascii(safe[at])) safe[at] = '?';
      dots = 0;
    } else if (c == '"' || c == '\'') {
      const size_t end = end_of_string(safe, at);
      const auto there = safe.begin() + static_cast<std::ptrdiff_t>(end);
      if (const auto strange = std::find_if_not(here, there, is_ascii); strange != there)
        return unsafe(strange, "a character that is not ASCII; in a text, write it as \\u and four hex digits");
      at = end - 1;
    } else if (!is_ascii(c)) {
      return unsafe(here, "a character that is not ASCII; typographic quotes don't count as quotes");
    } else if (c == '.') {
      if (++dots > most_dots) return unsafe(here, "a key with very many dots");
    } else if (ends_key.find(c) != std::string_view::npos) {
      dots = 0;
    }
  }
  return safe;
}

}  // namespace palang
