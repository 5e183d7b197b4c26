#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang::foreign {

// One tag of an XML file as firewalld writes them: elements and attributes, no text, no namespaces.
struct XmlTag {
  std::string name;
  uint32_t line = 0;
  bool opens = false;   // <a>: its content follows
  bool closes = false;  // </a>
  std::vector<std::pair<std::string, std::string>> attributes;

  // "" where there is none.
  [[nodiscard]] std::string_view attribute(std::string_view key) const;
};

// In their order; comments and declarations are passed over, and a broken tag ends the file.
[[nodiscard]] std::vector<XmlTag> read_tags(std::string_view text);

}  // namespace palang::foreign
