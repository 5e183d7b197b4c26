#include "rules/rule_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace palang {
namespace {

constexpr std::array<std::string_view, 8> severity_names{"emergency", "alert",  "critical", "error",
                                                         "warning",   "notice", "info",     "debug"};

std::string did_you_mean(std::string_view near, std::string_view quote) {
  return near.empty() ? "" : fmt::format("; did you mean {}{}{}?", quote, near, quote);
}

std::optional<uint32_t> whole_number(std::string_view text) {
  uint32_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

// "404", "4xx", "400-499".
std::optional<StatusRange> read_status(std::string_view text) {
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && text.substr(1) == "xx") {
    const auto first = static_cast<uint16_t>((text[0] - '0') * 100);
    return StatusRange{first, static_cast<uint16_t>(first + 99)};
  }
  const size_t dash = text.find('-');
  const auto first = whole_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole_number(text.substr(dash + 1));
  if (!first || !last || *first < 100 || *last > 599 || *first > *last) return {};
  return StatusRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

std::optional<IdRange> read_id_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = whole_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole_number(text.substr(dash + 1));
  if (!first || !last || *first > *last) return {};
  return IdRange{*first, *last};
}

// The elements of a list, or a lone value.
std::span<const TomlValue> elements(const TomlValue& value) {
  if (const auto* list = std::get_if<TomlValue::List>(&value.content)) return *list;
  return {&value, 1};
}

// A number or a text, as text; "" for anything else.
std::string spelled(const TomlValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value.content)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value.content)) return *text;
  return "";
}

}  // namespace

void ValueReader::wrong_type(std::string_view wanted) const {
  complain(fmt::format("must be {}, not {}", wanted, name_of(value_)));
}

void ValueReader::flag(bool& to) const {
  if (const auto* flag = std::get_if<bool>(&value_.content))
    to = *flag;
  else
    wrong_type("true or false");
}

void ValueReader::text(std::string& to, size_t longest) const {
  const auto* text = std::get_if<std::string>(&value_.content);
  if (text == nullptr) return wrong_type("a text");
  if (text->empty()) return complain("must not be empty");
  if (text->size() > longest) return complain(fmt::format("has {} bytes; at most {}", text->size(), longest));
  to = *text;
}

void ValueReader::number(uint32_t& to, uint32_t least, uint32_t most) const {
  const auto* number = std::get_if<int64_t>(&value_.content);
  if (number == nullptr) return wrong_type("a whole number");
  if (*number < least || *number > most)
    return complain(fmt::format("{} is out of range: {} to {}", *number, least, most));
  to = static_cast<uint32_t>(*number);
}

void ValueReader::duration(Duration& to, Duration least, Duration most) const {
  const auto* text = std::get_if<std::string>(&value_.content);
  if (text == nullptr) return wrong_type(R"(a duration with its unit, as in "90s", "10m", "12h", "3d")");
  const auto duration = parse_duration(*text);
  if (!duration) return complain(duration.error().text);
  if (*duration < least || *duration > most)
    return complain(fmt::format("{} is out of range: {} to {}", *text, format_duration(least), format_duration(most)));
  to = *duration;
}

std::optional<size_t> ValueReader::choice(std::span<const std::string_view> words) const {
  const auto* text = std::get_if<std::string>(&value_.content);
  const std::string wanted = fmt::format("one of \"{}\"", fmt::join(words, "\", \""));
  if (text == nullptr) {
    wrong_type(wanted);
    return {};
  }
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  complain(fmt::format("must be {}, not '{:.64}'{}", wanted, *text, did_you_mean(nearest(*text, words), "\"")));
  return {};
}

std::vector<ValueReader::Item> ValueReader::texts() const {
  std::vector<Item> items;
  for (const TomlValue& element : elements(value_)) {
    const auto* text = std::get_if<std::string>(&element.content);
    if (text == nullptr)
      complain_at(element.line, fmt::format("must be a list of texts; there is {}", name_of(element)));
    else if (text->empty())
      complain_at(element.line, "must not have an empty text");
    else
      items.push_back({*text, element.line});
  }
  return items;
}

void ValueReader::texts(std::vector<std::string>& to) const {
  to.clear();
  for (Item& item : texts()) to.push_back(std::move(item.text));
}

void ValueReader::statuses(std::vector<StatusRange>& to) const {
  for (const TomlValue& element : elements(value_)) {
    if (const auto status = read_status(spelled(element)))
      to.push_back(*status);
    else
      complain_at(element.line,
                  fmt::format("a status is written 404, \"4xx\" or \"400-499\", not {}", name_of(element)));
  }
}

void ValueReader::severities(std::vector<uint8_t>& to) const {
  for (const TomlValue& element : elements(value_)) {
    const std::string text = spelled(element);
    const auto number = whole_number(text);
    const auto named = std::ranges::find(severity_names, text);
    if (number && *number < severity_names.size())
      to.push_back(static_cast<uint8_t>(*number));
    else if (named != severity_names.end())
      to.push_back(static_cast<uint8_t>(named - severity_names.begin()));
    else
      complain_at(element.line, fmt::format("a severity is 0 to 7 or one of {}, not {}",
                                            fmt::join(severity_names, ", "), name_of(element)));
  }
}

void ValueReader::id_ranges(std::vector<IdRange>& to) const {
  for (const TomlValue& element : elements(value_)) {
    if (const auto range = read_id_range(spelled(element)))
      to.push_back(*range);
    else
      complain_at(element.line,
                  fmt::format("the number of a rule is written 942100 or \"942000-942999\", not {}", name_of(element)));
  }
}

void ValueReader::uids(std::vector<uint32_t>& to) const {
  to.clear();
  for (const TomlValue& element : elements(value_)) {
    const auto* number = std::get_if<int64_t>(&element.content);
    if (number != nullptr && *number >= 0 && *number < UINT32_MAX)
      to.push_back(static_cast<uint32_t>(*number));
    else
      complain_at(element.line, fmt::format("a user is a number, not {}", name_of(element)));
  }
}

const TomlTable* ValueReader::table(std::string_view wanted) const {
  const auto* table = std::get_if<TomlTable>(&value_.content);
  if (table == nullptr) wrong_type(wanted);
  return table;
}

void ValueReader::no_such_key(const TomlEntry& entry, std::span<const std::string_view> keys) const {
  const std::string_view near = nearest(entry.key, keys);
  complaints_.add(entry.line, fmt::format("{}.{:.64}", key_, entry.key),
                  near.empty() ? fmt::format("no such key; there are {}", fmt::join(keys, ", "))
                               : fmt::format("no such key; did you mean {}?", near));
}

}  // namespace palang
