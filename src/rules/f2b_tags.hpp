#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "rules/f2b_config.hpp"

namespace palang::f2b {

// "sshd[mode=aggressive, logtype="file"]": a name and its options.
struct Reference {
  std::string name;
  Values options;  // names as written
};
[[nodiscard]] Result<Reference> read_reference(std::string_view text);

// "a[x=1] b[y=2]\nc": the references of an `action`, which blanks and line ends part.
[[nodiscard]] std::vector<std::string> split_references(std::string_view text);

// Where the value of a tag is looked up that is none of the options themselves.
using TagSource = std::function<std::optional<std::string>(const std::string& tag)>;

// Puts the values of options in for the tags <x> in one another's values, until nothing changes. Tags without a value
// stay (<HOST>); those in `ignored` aren't touched. An option that contains itself is an error.
[[nodiscard]] Result<Values> substitute_tags(Values options, const std::set<std::string, std::less<>>& ignored,
                                             const TagSource& others);

}  // namespace palang::f2b
