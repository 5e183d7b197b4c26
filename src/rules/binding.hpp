#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace palang {

// A program, unit or file against what a rule says: a trailing * stands for the rest ("postfix/*").
[[nodiscard]] bool program_fits(std::string_view program, std::string_view glob);
// As a shell expands it: * and ? don't stand for a slash.
[[nodiscard]] bool file_fits(std::string_view file, const std::string& glob);

// From the name of a program or a file to what is for it, so that globs are looked at once for each name. Names that
// come after very many others are not remembered (promise 5).
template <typename Target>
class NameIndex {
 public:
  // `find` is asked for names that are not known yet. Valid until the next call.
  template <typename Find>
  const Target& at(std::string_view name, Find&& find) {
    if (asked_ && name == last_) return last_target_;
    const auto known = known_.find(name);
    last_target_ = known != known_.end() ? known->second : find(name);
    if (known == known_.end() && known_.size() < most_names) known_.emplace(name, last_target_);
    last_ = name;
    asked_ = true;
    return last_target_;
  }

 private:
  static constexpr size_t most_names = 4096;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, Target, Hash, std::equal_to<>> known_;
  std::string last_;
  Target last_target_{};
  bool asked_ = false;
};

}  // namespace palang
