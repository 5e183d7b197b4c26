#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "firewall/csf_lines.hpp"

namespace palang::foreign::csf {

// csf.conf: NAME = "VALUE", one a line.
class Conf {
 public:
  struct Setting {
    std::string value;
    Place place;
  };

  // Lines that are none, and options that CSF doesn't have, go to the report as faults.
  [[nodiscard]] static Conf parse(std::string_view text, const std::string& file, ImportReport& report);

  // "" and the whole file's place where it is not there.
  [[nodiscard]] const Setting& at(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const { return at(name).value; }
  // Neither "" nor "0".
  [[nodiscard]] bool is_on(std::string_view name) const;
  // A count; what is none is a fault, and then, or where it is not there, `otherwise`.
  [[nodiscard]] uint32_t number(std::string_view name, uint32_t otherwise, ImportReport& report) const;
  [[nodiscard]] const std::map<std::string, Setting, std::less<>>& all() const { return settings_; }

 private:
  std::map<std::string, Setting, std::less<>> settings_;
  Setting missing_;
};

[[nodiscard]] std::optional<uint32_t> read_number(std::string_view digits);

}  // namespace palang::foreign::csf
