#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace palang {

// What a search found, and the memory that it takes: one for each thread, used for any number of patterns and lines.
// The views are into the subject of the last search.
class Captures {
 public:
  Captures();

  // Group 0 is the whole match. A group that took no part is absent; one that matched nothing is "".
  [[nodiscard]] std::optional<std::string_view> group(uint32_t number) const;
  // Offsets in the subject; only for groups that are there.
  [[nodiscard]] size_t begin(uint32_t number) const;
  [[nodiscard]] size_t end(uint32_t number) const;

  // Searches that were given up because they took too long (promise 8): they count as "no match".
  [[nodiscard]] uint64_t given_up() const { return given_up_; }

 private:
  friend class Regex;
  struct Free {
    void operator()(pcre2_real_match_data_8* data) const;
    void operator()(pcre2_real_match_context_8* context) const;
    void operator()(pcre2_real_jit_stack_8* stack) const;
  };

  void make_room(uint32_t groups);

  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  uint32_t room_ = 0;  // groups that data_ can hold
  std::string_view subject_;
  const size_t* offsets_ = nullptr;  // pairs, one for each group
  uint32_t found_ = 0;               // pairs that are set
  uint64_t given_up_ = 0;
};

// A compiled pattern: PCRE2 with JIT. Immutable, so threads may share it, each with Captures of its own.
class Regex {
 public:
  struct Options {
    bool multiline = false;  // ^ and $ match at line ends inside the subject, too; ^ also after the last
    bool caseless = false;
    bool anchored = false;  // matches at the start of the search only
    bool linear = false;    // is_linear() says so: however long the subject is, all of it may be searched
    bool utf = false;       // the subject is valid UTF-8 (the caller's word): `.` is a character, \w any letter
  };

  // The error tells what is wrong and where: "at offset 7: missing closing parenthesis".
  [[nodiscard]] static Result<Regex> compile(std::string_view pattern, Options options);
  [[nodiscard]] static Result<Regex> compile(std::string_view pattern) { return compile(pattern, Options{}); }

  // Nothing if compile() takes the pattern, else its error; without the time that machine code takes.
  [[nodiscard]] static Result<void> check(std::string_view pattern);

  // Searches subject[from..]; what is before `from` is seen by lookbehind and \b. A subject longer than max_subject is
  // cut there. A search that takes too long finds nothing, and is counted in the captures.
  [[nodiscard]] bool match(std::string_view subject, Captures& captures, size_t from = 0) const;

  struct Name {
    std::string name;
    uint32_t number;
  };
  // Named groups, sorted by name.
  [[nodiscard]] const std::vector<Name>& names() const { return names_; }
  [[nodiscard]] std::optional<uint32_t> number_of(std::string_view name) const;
  [[nodiscard]] uint32_t groups() const { return groups_; }  // without group 0

  static constexpr size_t max_subject = size_t{64} * 1024;  // bytes

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };

  Regex() = default;
  [[nodiscard]] static Result<Regex> parse(std::string_view pattern, Options options);
  void read_names();

  std::unique_ptr<pcre2_real_code_8, Free> code_;
  std::vector<Name> names_;
  uint32_t groups_ = 0;
  bool jit_ = false;
  bool linear_ = false;
};

}  // namespace palang
