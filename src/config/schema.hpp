#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace palang {

// The keys of palang.toml. One table drives validation, the defaults that are printed, and the documentation, so each
// tunable stands in one place; its default is that of the struct it fills.
//
// `at` finds what a key fills. For keys of [[source]] that is the last of config.sources.

struct FlagField {
  bool& (*at)(Config&);
};

struct CountField {
  uint32_t& (*at)(Config&);
  uint32_t least;
  uint32_t most;
};

struct DurationField {
  Duration& (*at)(Config&);
  Duration least;
  Duration most;
};

// One of a few words; an index into `words`.
struct ChoiceField {
  std::span<const std::string_view> words;
  size_t (*get)(const Config&);
  void (*set)(Config&, size_t);
};

struct TextField {
  std::string& (*at)(Config&);
  std::string (*complaint)(std::string_view);  // "" where the text will do
  std::string_view kind;                       // "an absolute path"
};

struct PortsField {
  PortSet& (*at)(Config&);
};

// A list of texts, each of which must do.
struct TextsField {
  std::vector<std::string>& (*at)(Config&);
  std::string (*complaint)(std::string_view);  // "" where the text will do
  std::string_view kind;                       // "absolute paths"
  std::string_view example;                    // "[\"/etc/palang/rules.d\"]"
};

// [24, 64]: the lengths of an IPv4 and an IPv6 network.
struct WidthsField {
  WidenSettings& (*at)(Config&);
};

// Fills config.allow.
struct AllowField {};

// A text with a syntax of its own, or a number, which stands for its digits; `put` answers with a complaint, or "".
struct ParsedField {
  std::string (*put)(Config&, std::string_view);
  std::string (*print)(Config&);  // without quotes
  std::string_view kind;          // "a rate, as in \"30/minute\""
};

// A list of those.
struct ParsedListField {
  std::string (*add)(Config&, std::string_view);
  std::vector<std::string> (*print)(Config&);
  std::string_view kind;     // "ports and ranges of ports"
  std::string_view example;  // "[\"80\", \"2000-2100\"]"
};

using Field = std::variant<FlagField, CountField, DurationField, ChoiceField, TextField, TextsField, PortsField,
                           WidthsField, AllowField, ParsedField, ParsedListField>;

struct Key {
  std::string_view path;  // "ban.widen.after"
  Field field;
  std::string_view doc;
};

struct Section {
  std::string_view path;  // "ban.widen"; "" is the top
  std::string_view doc;
  bool repeated = false;  // [[source]]
  bool optional = false;  // being there means something, whatever it holds: [firewall]
};

// Of [firewall] and what is below it.
[[nodiscard]] std::vector<Key> firewall_keys();
[[nodiscard]] std::string path_complaint(std::string_view path);  // "" for an absolute path of a file

// In the order in which a reader should meet them; the keys of a section stand together.
[[nodiscard]] std::span<const Section> config_sections();
[[nodiscard]] std::span<const Key> config_keys();

// "ban" of "ban.for", "" of "profile"; and "for", "profile".
[[nodiscard]] std::string_view section_of(std::string_view path);
[[nodiscard]] std::string_view leaf_of(std::string_view path);

// Limits of ban.widen.to. A width of 32 (128) would be the address itself.
inline constexpr uint8_t least_width_v4 = 8;
inline constexpr uint8_t most_width_v4 = 31;
inline constexpr uint8_t least_width_v6 = 16;
inline constexpr uint8_t most_width_v6 = 127;

}  // namespace palang
