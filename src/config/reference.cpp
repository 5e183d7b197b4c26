#include <fmt/format.h>

#include <algorithm>

#include "config/config.hpp"
#include "config/fields.hpp"
#include "config/schema.hpp"

namespace palang {
namespace {

constexpr size_t width = 100;

// `text` as comment lines of at most `width` columns; its own line breaks and their indentation stay.
std::string comment(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string indent = "# " + std::string(std::min(line.find_first_not_of(' '), line.size()), ' ');
    std::string out = "#";
    size_t at = 0;
    while (at < line.size()) {
      const size_t begin = line.find_first_not_of(' ', at);
      const size_t end = std::min(line.find(' ', begin), line.size());
      const std::string_view word = line.substr(at, end - at);  // with the spaces before it
      if (out.size() + word.size() + 1 > width) {
        lines += out + "\n";
        out = indent + std::string(line.substr(begin, end - begin));
      } else {
        out += (at == 0 ? " " : "") + std::string(word);
      }
      at = end;
    }
    lines += out + "\n";
  }
  return lines;
}

}  // namespace

std::string config_reference() {
  Config defaults;
  defaults.sources.emplace_back();
  defaults.firewall.emplace();
  std::string text;
  for (const Section& section : config_sections()) {
    text += (text.empty() ? "" : "\n") + comment(section.doc);
    // What means something by being there has no defaults that could stand in a file: its keys are told, not set.
    const bool told = section.repeated || section.optional;
    if (!section.path.empty() && !told) text += fmt::format("[{}]\n", section.path);
    for (const Key& key : config_keys()) {
      if (section_of(key.path) != section.path) continue;
      const std::string takes = describe_field(key.field);
      if (told) {
        const std::string value =
            section.repeated ? "" : fmt::format(" Default: {}.", print_field(key.field, defaults));
        text += comment(fmt::format("  {}: {} Takes {}.{}", leaf_of(key.path), key.doc, takes, value));
      } else {
        text += "\n" + comment(fmt::format("{} Takes {}.", key.doc, takes));
        text += fmt::format("#{} = {}\n", leaf_of(key.path), print_field(key.field, defaults));
      }
    }
    if (told)
      text += section.repeated ? fmt::format("# [[{}]]\n", section.path) : fmt::format("# [{}]\n", section.path);
  }
  return text;
}

}  // namespace palang
