#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/complaints.hpp"
#include "model/toml_tree.hpp"
#include "rules/rule.hpp"

namespace palang {

// Values of rule files, each with its place and its complaints. `key` is the whole name, "sshd-login.after".
class ValueReader {
 public:
  ValueReader(const TomlValue& value, std::string key, Complaints& complaints)
      : value_(value), key_(std::move(key)), complaints_(complaints) {}

  void complain(std::string_view sentence) const { complain_at(value_.line, sentence); }
  void complain_at(uint32_t line, std::string_view sentence) const { complaints_.add(line, key_, sentence); }
  void wrong_type(std::string_view wanted) const;

  void flag(bool& to) const;
  void text(std::string& to, size_t longest) const;
  void number(uint32_t& to, uint32_t least, uint32_t most) const;
  void duration(Duration& to, Duration least, Duration most) const;
  // An index into `words`.
  [[nodiscard]] std::optional<size_t> choice(std::span<const std::string_view> words) const;
  // The texts of a list, none empty; a single text counts as a list of one.
  struct Item {
    std::string text;
    uint32_t line;
  };
  [[nodiscard]] std::vector<Item> texts() const;
  void texts(std::vector<std::string>& to) const;
  void statuses(std::vector<StatusRange>& to) const;
  void severities(std::vector<uint8_t>& to) const;
  void id_ranges(std::vector<IdRange>& to) const;
  void uids(std::vector<uint32_t>& to) const;

  // The entries of a table; null (and a complaint) if it is none.
  [[nodiscard]] const TomlTable* table(std::string_view wanted) const;
  // One that is no key of this table: with the nearest that is.
  void no_such_key(const TomlEntry& entry, std::span<const std::string_view> keys) const;
  [[nodiscard]] ValueReader inside(const TomlEntry& entry) const {
    return {entry.value, key_ + "." + entry.key, complaints_};
  }
  [[nodiscard]] const TomlValue& value() const { return value_; }

 private:
  const TomlValue& value_;
  std::string key_;
  Complaints& complaints_;
};

}  // namespace palang
