#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace palang::f2b {

// A value, and where it was written.
struct IniValue {
  std::string text;  // lines joined by '\n'
  std::string file;
  uint32_t line = 0;
};

using IniOptions = std::map<std::string, IniValue, std::less<>>;  // names in lower case

struct IniSection {
  std::string name;
  IniOptions options;
  std::string file;
  uint32_t line = 0;
};

// What one file says. Sections are in the order of the file; "DEFAULT" is one of them.
struct IniFile {
  std::vector<IniSection> sections;
  std::vector<std::string> complaints;  // "FILE:LINE: sentence"; what they are about was left out

  [[nodiscard]] const IniSection* section(std::string_view name) const;
};

// Reads the dialect of fail2ban's files: `name = value` or `name: value`; lines that are indented deeper continue the
// value; # and ; begin a comment at the start of a line, ; also after a blank.
[[nodiscard]] IniFile read_ini(std::string_view text, const std::string& file);

// ASCII only, as option names are compared.
[[nodiscard]] std::string lower(std::string_view text);

[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

inline constexpr std::string_view blanks = " \t\r\n\f\v";
[[nodiscard]] std::string_view strip(std::string_view text);

}  // namespace palang::f2b
