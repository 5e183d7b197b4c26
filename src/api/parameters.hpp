#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/prefix.hpp"

namespace palang {

// The named values of one request, from its query or its JSON body. Names outside `known` are refused, with the
// nearest known one; so are names given twice in a query. All errors are usage errors.
class Parameters {
 public:
  // "within=192.0.2.0%2F24&limit=50"
  [[nodiscard]] static Result<Parameters> from_query(std::string_view query, std::span<const std::string_view> known);
  // {"prefix": "192.0.2.0/24", "for": "3d"}; an empty body is an empty object, null is the same as absent.
  [[nodiscard]] static Result<Parameters> from_body(std::string_view body, std::span<const std::string_view> known);

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

  [[nodiscard]] Result<Prefix> prefix(std::string_view name) const;    // required
  [[nodiscard]] Result<Address> address(std::string_view name) const;  // required
  [[nodiscard]] Result<std::optional<Prefix>> optional_prefix(std::string_view name) const;
  // Longer than nothing, at most ten years.
  [[nodiscard]] Result<std::optional<Duration>> optional_duration(std::string_view name) const;
  [[nodiscard]] Result<bool> flag(std::string_view name) const;              // absent: false
  [[nodiscard]] Result<uint64_t> number(std::string_view name) const;        // absent: 0
  [[nodiscard]] Result<std::string> free_text(std::string_view name) const;  // absent: ""; at most 500 bytes

  // One of `values`, each of which `name_of` names.
  template <typename Value, typename NameOf>
  [[nodiscard]] Result<std::optional<Value>> one_of(std::string_view name, std::span<const Value> values,
                                                    NameOf&& name_of) const {
    const std::string* text = find(name);
    if (text == nullptr) return std::optional<Value>();
    std::vector<std::string_view> names;
    for (const Value value : values) {
      if (*text == name_of(value)) return std::optional<Value>(value);
      names.push_back(name_of(value));
    }
    return not_one_of(name, *text, names);
  }

 private:
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] static Failure not_one_of(std::string_view name, std::string_view text,
                                          std::span<const std::string_view> names);

  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace palang
