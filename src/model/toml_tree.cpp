#include "model/toml_tree.hpp"

// The library is compiled in here, header-only, so that its assertions, which some broken files trip (a lone "[" in
// 3.3), become an error of the file instead of the end of the process.
#undef NDEBUG
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expression) palang::toml_assert(static_cast<bool>(expression))

namespace palang {
namespace {
struct TomlAssertion {};
constexpr void toml_assert(bool holds) {
  if (!holds) throw TomlAssertion();
}
}  // namespace
}  // namespace palang

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/text.hpp"
#include "model/toml_guard.hpp"

namespace palang {
namespace {

TomlValue convert(const toml::node& node);

TomlTable convert_table(const toml::table& table) {
  TomlTable entries;
  entries.reserve(table.size());
  for (const auto& [key, node] : table) {
    const toml::source_position& place = key.source().begin;
    entries.push_back({std::string(key.str()), place.line, place.column, convert(node)});
  }
  std::ranges::sort(entries, {}, [](const TomlEntry& entry) { return std::pair(entry.line, entry.column); });
  return entries;
}

TomlValue convert(const toml::node& node) {
  TomlValue value{node.source().begin.line, TomlOther{"a date or time"}};
  if (const auto* flag = node.as_boolean()) {
    value.content = flag->get();
  } else if (const auto* number = node.as_integer()) {
    value.content = number->get();
  } else if (const auto* text = node.as_string()) {
    value.content = text->get();
  } else if (const auto* table = node.as_table()) {
    value.content = convert_table(*table);
  } else if (const auto* array = node.as_array()) {
    TomlValue::List list;
    for (const auto& element : *array) list.push_back(convert(element));
    value.content = std::move(list);
  } else if (node.is_floating_point()) {
    value.content = TomlOther{"a fraction"};
  }
  return value;
}

Failure bad_toml(std::string_view file_name, uint32_t line, std::string_view why) {
  return Failure(Error::bad_config(fmt::format("{}:{}: {}", file_name, line, why)));
}

// nullopt where the library gave up on an assertion.
std::optional<Result<TomlTable>> try_parse(std::string_view text, std::string_view file_name) {
  try {
    return convert_table(toml::parse(text, file_name));
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    return Failure(Error::bad_config(fmt::format("{}:{}:{}: {}", file_name, place.line, place.column,
                                                 escape_controls(error.description().substr(0, 300)))));
  } catch (const std::exception& error) {
    return Failure(Error::bad_config(fmt::format("{}: {}", file_name, error.what())));
  } catch (const TomlAssertion&) {
    return std::nullopt;
  }
}

// The line on which the library gives up: it does so for any text that reaches down to it, and for no shorter one.
uint32_t line_of_assertion(std::string_view text) {
  std::vector<size_t> line_ends;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    line_ends.push_back(at + 1);
  const auto gives_up = [&](size_t end) { return !try_parse(text.substr(0, end), "").has_value(); };
  const auto first = std::ranges::partition_point(line_ends, [&](size_t end) { return !gives_up(end); });
  return static_cast<uint32_t>(first - line_ends.begin()) + 1;
}

}  // namespace

std::string name_of(const TomlValue& value) {
  struct Describe {
    std::string operator()(const TomlOther& other) const { return std::string(other.name); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(int64_t number) const { return fmt::format("the number {}", number); }
    std::string operator()(const std::string& text) const { return fmt::format("the text '{:.64}'", text); }
    std::string operator()(const TomlValue::List&) const { return "a list"; }
    std::string operator()(const TomlTable&) const { return "a table"; }
  };
  return std::visit(Describe{}, value.content);
}

Result<TomlTable> parse_toml(std::string_view text, std::string_view file_name) {
  const auto safe = guard_toml(text);
  if (!safe) return bad_toml(file_name, safe.error().line, safe.error().why);
  auto table = try_parse(*safe, file_name);
  if (!table) return bad_toml(file_name, line_of_assertion(*safe), "this is no TOML");
  return std::move(*table);
}

}  // namespace palang
