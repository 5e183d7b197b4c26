#include "config/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"

namespace palang {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

// Reads one value; keeps the key's name and the place of complaints.
class FieldReader {
 public:
  FieldReader(const Key& key, const TomlValue& value, Config& config, Complaints& complaints)
      : key_(key), value_(value), config_(config), complaints_(complaints) {}

  void operator()(const FlagField& field) const {
    if (const auto* flag = std::get_if<bool>(&value_.content))
      field.at(config_) = *flag;
    else
      wrong_type("true or false");
  }

  void operator()(const CountField& field) const {
    const auto* number = std::get_if<int64_t>(&value_.content);
    if (number == nullptr) return wrong_type("a whole number");
    if (*number < field.least || *number > field.most)
      return complain(fmt::format("{} is out of range: {} to {}", *number, field.least, field.most));
    field.at(config_) = static_cast<uint32_t>(*number);
  }

  void operator()(const DurationField& field) const {
    const auto* text = std::get_if<std::string>(&value_.content);
    if (text == nullptr) return wrong_type(R"(a duration with its unit, as in "90s", "10m", "12h", "3d")");
    const auto duration = parse_duration(*text);
    if (!duration) return complain(duration.error().text);
    if (*duration < field.least || *duration > field.most)
      return complain(fmt::format("{} is out of range: {} to {}", *text, format_duration(field.least),
                                  format_duration(field.most)));
    field.at(config_) = *duration;
  }

  void operator()(const ChoiceField& field) const {
    const auto* text = std::get_if<std::string>(&value_.content);
    if (text == nullptr) return wrong_type(describe_field(field));
    const auto found = std::ranges::find(field.words, *text);
    if (found != field.words.end()) return field.set(config_, static_cast<size_t>(found - field.words.begin()));
    const std::string_view near = nearest(*text, field.words);
    complain(fmt::format("must be {}, not '{:.64}'{}", describe_field(field), *text,
                         near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }

  void operator()(const TextField& field) const {
    const auto* text = std::get_if<std::string>(&value_.content);
    if (text == nullptr) return wrong_type(fmt::format("{}, in quotes", field.kind));
    if (const std::string why_not = field.complaint(*text); !why_not.empty())
      return complain(fmt::format("'{:.64}' {}", *text, why_not));
    field.at(config_) = *text;
  }

  void operator()(const TextsField& field) const {
    const auto* list = std::get_if<TomlValue::List>(&value_.content);
    if (list == nullptr) return wrong_type(fmt::format("a list of {}, as in {}", field.kind, field.example));
    std::vector<std::string> texts;
    for (const TomlValue& element : *list) {
      const auto* text = std::get_if<std::string>(&element.content);
      if (text == nullptr) {
        complain(
            fmt::format("must be a list of {}, as in {}; it holds {}", field.kind, field.example, name_of(element)),
            element.line);
      } else if (const std::string why_not = field.complaint(*text); !why_not.empty()) {
        complain(fmt::format("'{:.64}' {}", *text, why_not), element.line);
      } else {
        texts.push_back(*text);
      }
    }
    field.at(config_) = std::move(texts);
  }

  void operator()(const PortsField& field) const {
    const auto* list = std::get_if<TomlValue::List>(&value_.content);
    if (list == nullptr) return wrong_type("a list of ports, as in [80, 443]");
    for (const TomlValue& element : *list) {
      const auto* port = std::get_if<int64_t>(&element.content);
      if (port != nullptr && *port >= 1 && *port <= 65535)
        field.at(config_).add(static_cast<uint16_t>(*port));
      else
        complain(fmt::format("a port is a number from 1 to 65535, not {}", name_of(element)), element.line);
    }
  }

  void operator()(const ParsedField& field) const {
    const auto* text = std::get_if<std::string>(&value_.content);
    const auto* number = std::get_if<int64_t>(&value_.content);
    if (text == nullptr && number == nullptr) return wrong_type(field.kind);
    const std::string why_not = field.put(config_, text != nullptr ? *text : std::to_string(*number));
    if (!why_not.empty()) complain(why_not);
  }

  void operator()(const ParsedListField& field) const {
    const auto* list = std::get_if<TomlValue::List>(&value_.content);
    if (list == nullptr) return wrong_type(fmt::format("a list of {}, as in {}", field.kind, field.example));
    for (const TomlValue& element : *list) {
      const auto* text = std::get_if<std::string>(&element.content);
      const auto* number = std::get_if<int64_t>(&element.content);
      if (text == nullptr && number == nullptr) {
        complain(
            fmt::format("must be a list of {}, as in {}; it holds {}", field.kind, field.example, name_of(element)),
            element.line);
      } else if (const std::string why_not = field.add(config_, text != nullptr ? *text : std::to_string(*number));
                 !why_not.empty()) {
        complain(why_not, element.line);
      }
    }
  }

  void operator()(const WidthsField& field) const {
    const auto* list = std::get_if<TomlValue::List>(&value_.content);
    if (list == nullptr || list->size() != 2)
      return wrong_type("two lengths, of the IPv4 and the IPv6 network, as in [24, 64]");
    const auto v4 = width((*list)[0], "IPv4", least_width_v4, most_width_v4);
    const auto v6 = width((*list)[1], "IPv6", least_width_v6, most_width_v6);
    if (v4) field.at(config_).to_v4 = *v4;
    if (v6) field.at(config_).to_v6 = *v6;
  }

  void operator()(const AllowField&) const {
    const auto* list = std::get_if<TomlValue::List>(&value_.content);
    if (list == nullptr) return wrong_type(R"(a list of prefixes, as in ["198.51.100.7", "2001:db8::/32"])");
    for (const TomlValue& element : *list) {
      if (const auto* text = std::get_if<std::string>(&element.content))
        allow(*text, {}, element.line);
      else if (const auto* table = std::get_if<TomlTable>(&element.content))
        allow_table(*table, element.line);
      else
        complain(fmt::format("a prefix is a text, as in \"192.0.2.0/24\", not {}", name_of(element)), element.line);
    }
  }

 private:
  void complain(std::string_view sentence, uint32_t line = 0) const {
    complaints_.add(line > 0 ? line : value_.line, key_.path, sentence);
  }
  void wrong_type(std::string_view wanted) const {
    complain(fmt::format("must be {}, not {}", wanted, name_of(value_)));
  }

  [[nodiscard]] std::optional<uint8_t> width(const TomlValue& value, std::string_view family, uint8_t least,
                                             uint8_t most) const {
    const auto* length = std::get_if<int64_t>(&value.content);
    if (length != nullptr && *length >= least && *length <= most) return static_cast<uint8_t>(*length);
    complain(fmt::format("the length of an {} network is a number from {} to {}, not {}", family, least, most,
                         name_of(value)),
             value.line);
    return std::nullopt;
  }

  void allow(std::string_view text, std::string note, uint32_t line) const {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return complain(prefix.error().text, line);
    if (prefix->length() == 0) return complain(fmt::format("{} allows everyone: nobody would be banned", text), line);
    const auto same = [&](const AllowSettings& earlier) { return earlier.prefix == *prefix; };
    if (std::ranges::any_of(config_.allow, same)) return;
    config_.allow.push_back({*prefix, std::move(note)});
  }

  void allow_table(const TomlTable& table, uint32_t line) const {
    static constexpr std::array<std::string_view, 2> names{"prefix", "note"};
    const std::string* prefix = nullptr;
    std::string note;
    for (const TomlEntry& entry : table) {
      const auto* text = std::get_if<std::string>(&entry.value.content);
      if (std::ranges::find(names, entry.key) == names.end()) {
        const std::string_view near = nearest(entry.key, names);
        complain(fmt::format("'{:.64}' is no key of an entry; {}", entry.key,
                             near.empty() ? "there are prefix and note" : fmt::format("did you mean {}?", near)),
                 entry.line);
      } else if (text == nullptr) {
        complain(fmt::format("{} must be a text, not {}", entry.key, name_of(entry.value)), entry.line);
      } else if (entry.key == "prefix") {
        prefix = text;
      } else if (text->size() > 200) {
        complain("a note has 200 bytes at most", entry.line);
      } else {
        note = *text;
      }
    }
    if (prefix == nullptr) return complain("an entry needs its prefix, as in { prefix = \"192.0.2.0/24\" }", line);
    allow(*prefix, std::move(note), line);
  }

  const Key& key_;
  const TomlValue& value_;
  Config& config_;
  Complaints& complaints_;
};

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

}  // namespace

void read_field(const Key& key, const TomlValue& value, Config& config, Complaints& complaints) {
  std::visit(FieldReader(key, value, config, complaints), key.field);
}

std::string print_field(const Field& field, Config& config) {
  return std::visit(
      Overloaded{
          [&](const FlagField& f) { return std::string(f.at(config) ? "true" : "false"); },
          [&](const CountField& f) { return std::to_string(f.at(config)); },
          [&](const DurationField& f) { return in_quotes(format_duration(f.at(config))); },
          [&](const ChoiceField& f) { return in_quotes(f.words[f.get(config)]); },
          [&](const TextField& f) { return in_quotes(f.at(config)); },
          [&](const TextsField& f) {
            std::vector<std::string> texts;
            for (const std::string& text : f.at(config)) texts.push_back(in_quotes(text));
            return fmt::format("[{}]", fmt::join(texts, ", "));
          },
          [&](const PortsField& f) { return fmt::format("[{}]", fmt::join(f.at(config).list(), ", ")); },
          [&](const WidthsField& f) { return fmt::format("[{}, {}]", f.at(config).to_v4, f.at(config).to_v6); },
          [&](const AllowField&) {
            std::vector<std::string> prefixes;
            prefixes.reserve(config.allow.size());
            for (const AllowSettings& allowed : config.allow) prefixes.push_back(in_quotes(allowed.prefix.text()));
            return fmt::format("[{}]", fmt::join(prefixes, ", "));
          },
          [&](const ParsedField& f) { return in_quotes(f.print(config)); },
          [&](const ParsedListField& f) {
            std::vector<std::string> texts = f.print(config);
            for (std::string& text : texts) text = in_quotes(text);
            return fmt::format("[{}]", fmt::join(texts, ", "));
          },
      },
      field);
}

std::string describe_field(const Field& field) {
  return std::visit(Overloaded{
                        [](const FlagField&) { return std::string("true or false"); },
                        [](const CountField& f) { return fmt::format("a whole number, {} to {}", f.least, f.most); },
                        [](const DurationField& f) {
                          return fmt::format("a duration, {} to {}", format_duration(f.least), format_duration(f.most));
                        },
                        [](const ChoiceField& f) {
                          std::string words;
                          for (size_t i = 0; i < f.words.size(); ++i)
                            words += fmt::format("{}\"{}\"", i == 0 ? "" : (i + 1 == f.words.size() ? " or " : ", "),
                                                 f.words[i]);
                          return words;
                        },
                        [](const TextField& f) { return std::string(f.kind); },
                        [](const TextsField& f) { return fmt::format("a list of {}", f.kind); },
                        [](const PortsField&) { return std::string("a list of ports, 1 to 65535"); },
                        [](const WidthsField&) {
                          return fmt::format("[IPv4, IPv6], {} to {} and {} to {}", least_width_v4, most_width_v4,
                                             least_width_v6, most_width_v6);
                        },
                        [](const AllowField&) { return std::string("a list of prefixes"); },
                        [](const ParsedField& f) { return std::string(f.kind); },
                        [](const ParsedListField& f) { return fmt::format("a list of {}", f.kind); },
                    },
                    field);
}

}  // namespace palang
