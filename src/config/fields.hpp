#pragma once

#include <string>

#include "config/schema.hpp"
#include "model/complaints.hpp"
#include "model/toml_tree.hpp"

namespace palang {

// Puts `value` where the key says; whatever is wrong with it goes to `complaints` and leaves the field as it was.
void read_field(const Key& key, const TomlValue& value, Config& config, Complaints& complaints);

// The field's content as TOML spells it: "\"1d\"", "[24, 64]".
[[nodiscard]] std::string print_field(const Field& field, Config& config);

// What the field takes: "a duration, 1s to 3650d", "\"by-proof\" or \"full\"".
[[nodiscard]] std::string describe_field(const Field& field);

}  // namespace palang
