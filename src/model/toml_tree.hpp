#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace palang {

// A TOML document as far as palang's files need it; only toml_tree.cpp knows the TOML library.
struct TomlEntry;
using TomlTable = std::vector<TomlEntry>;  // in the order of the file

// A kind of value that no key takes, by name: "a fraction", "a date or time".
struct TomlOther {
  std::string_view name;
};

struct TomlValue {
  using List = std::vector<TomlValue>;

  uint32_t line = 0;  // from 1
  std::variant<TomlOther, bool, int64_t, std::string, List, TomlTable> content;
};

struct TomlEntry {
  std::string key;
  uint32_t line = 0;    // of the key
  uint32_t column = 0;  // of the key
  TomlValue value;
};

// What a value is, for "must be ..., not ...": "the number 7", "a list".
[[nodiscard]] std::string name_of(const TomlValue& value);

// The top table. An error begins with "<file>:<line>:<column>: ".
[[nodiscard]] Result<TomlTable> parse_toml(std::string_view text, std::string_view file_name);

}  // namespace palang
