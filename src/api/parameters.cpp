#include "api/parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace palang {
namespace {

constexpr Duration longest = one_day * 3650;
constexpr size_t longest_text = 500;
constexpr size_t longest_quote = 80;  // of a stranger's word in our sentence

Failure usage(std::string sentence) {
  return Failure(Error::usage(std::move(sentence)));
}

Failure about(std::string_view name, const Error& error) {
  return usage(fmt::format("{}: {}", name, error.text));
}

std::string quote(std::string_view word) {
  return fmt::format("'{}'", escape_controls(word.substr(0, longest_quote)));
}

Failure unknown_name(std::string_view name, std::span<const std::string_view> known) {
  if (known.empty()) return usage(fmt::format("unknown parameter {}: this request takes none", quote(name)));
  const std::string_view near = nearest(name.substr(0, longest_quote), known);
  if (!near.empty()) return usage(fmt::format("unknown parameter {}: did you mean '{}'?", quote(name), near));
  return usage(fmt::format("unknown parameter {}: known are {}", quote(name), fmt::join(known, ", ")));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Percent encoding (RFC 3986 §2.1), with '+' for a space as forms write it.
Result<std::string> decode(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain.push_back(text[at] == '+' ? ' ' : text[at]);
      continue;
    }
    const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
    if (high < 0 || low < 0) return usage(fmt::format("broken percent encoding in {}", quote(text)));
    plain.push_back(static_cast<char>(high * 16 + low));
    at += 2;
  }
  return plain;
}

}  // namespace

Result<Parameters> Parameters::from_query(std::string_view query, std::span<const std::string_view> known) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    Result<std::string> name = decode(pair.substr(0, equals));
    if (!name) return Failure(name.error());
    Result<std::string> value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!value) return Failure(value.error());
    if (std::ranges::find(known, *name) == known.end()) return unknown_name(*name, known);
    if (parameters.has(*name)) return usage(fmt::format("{} is given twice", quote(*name)));
    parameters.values_.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

Result<Parameters> Parameters::from_body(std::string_view body, std::span<const std::string_view> known) {
  Parameters parameters;
  body = trim(body);
  if (body.empty()) return parameters;
  const nlohmann::json object = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return usage("the body is not a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) return unknown_name(name, known);
    if (value.is_null()) continue;
    if (value.is_boolean()) {
      parameters.values_.emplace_back(name, value.get<bool>() ? "true" : "false");
    } else if (value.is_string()) {
      parameters.values_.emplace_back(name, value.get<std::string>());
    } else {
      return usage(fmt::format("{}: expected a string, got {}", name, value.type_name()));
    }
  }
  return parameters;
}

const std::string* Parameters::find(std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return &value;
  return nullptr;
}

Failure Parameters::not_one_of(std::string_view name, std::string_view text, std::span<const std::string_view> names) {
  const std::string_view near = nearest(text.substr(0, longest_quote), names);
  const std::string hint = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
  return usage(fmt::format("{}: {} is none of {}{}", name, quote(text), fmt::join(names, ", "), hint));
}

Result<std::optional<Prefix>> Parameters::optional_prefix(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::optional<Prefix>();
  const Result<Prefix> parsed = Prefix::parse(*text);
  if (!parsed) return about(name, parsed.error());
  return std::optional<Prefix>(*parsed);
}

Result<Prefix> Parameters::prefix(std::string_view name) const {
  const Result<std::optional<Prefix>> parsed = optional_prefix(name);
  if (!parsed) return Failure(parsed.error());
  if (!*parsed) return usage(fmt::format("'{}' is missing: an address or prefix, as in \"192.0.2.0/24\"", name));
  return **parsed;
}

Result<Address> Parameters::address(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return usage(fmt::format("'{}' is missing: an address, as in \"192.0.2.7\"", name));
  const Result<Address> parsed = Address::parse(*text);
  if (!parsed) return about(name, parsed.error());
  return *parsed;
}

Result<std::optional<Duration>> Parameters::optional_duration(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::optional<Duration>();
  const Result<Duration> parsed = parse_duration(*text);
  if (!parsed) return about(name, parsed.error());
  if (*parsed <= Duration{0}) return usage(fmt::format("{}: must be longer than 0s", name));
  if (*parsed > longest) return usage(fmt::format("{}: at most {}", name, format_duration(longest)));
  return std::optional<Duration>(*parsed);
}

Result<bool> Parameters::flag(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr || *text == "false") return false;
  if (*text == "true") return true;
  return usage(fmt::format("{}: {} is neither true nor false", name, quote(*text)));
}

Result<uint64_t> Parameters::number(std::string_view name) const {
  const std::string* text = find(name);
  uint64_t value = 0;
  if (text == nullptr) return value;
  const char* const last = text->data() + text->size();
  const auto [end, status] = std::from_chars(text->data(), last, value);
  if (status != std::errc{} || end != last) return usage(fmt::format("{}: {} is not a number", name, quote(*text)));
  return value;
}

Result<std::string> Parameters::free_text(std::string_view name) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::string();
  if (text->size() > longest_text) return usage(fmt::format("{}: at most {} bytes", name, longest_text));
  return *text;
}

}  // namespace palang
