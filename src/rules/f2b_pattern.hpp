#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "rules/regex.hpp"

namespace palang::f2b {

// What a pattern captured, by the name of the group: ip4, ip6, dns, cidr, fid, user, mlfid, nofail, content, …
// A group that took no part is not there.
using Fields = std::map<std::string, std::string, std::less<>>;

// Text that is searched: bytes, and whether they are to be read as UTF-8 (valid, and not only ASCII).
struct Subject {
  std::string_view text;
  bool utf = false;
};
[[nodiscard]] bool is_wide_utf8(std::string_view text);

// fail2ban's tags <HOST>, <ADDR>, <F-USER>…</F-USER>, <SKIPLINES> … as the groups they stand for, still in Python's
// dialect. Without `names`, <HOST> takes addresses only (usedns = no).
[[nodiscard]] std::string expand_tags(std::string_view pattern, bool names);

// One of fail2ban's patterns, compiled.
class Pattern {
 public:
  struct Options {
    bool names = true;       // <HOST> takes host names, too
    bool multiline = false;  // ^ and $ match at every line of the buffer
  };
  [[nodiscard]] static Result<Pattern> compile(std::string_view pattern, Options options);

  [[nodiscard]] bool search(const Subject& subject, Captures& captures, size_t from = 0);
  // After a search that matched: the groups that are there replace those of `fields`, the others are taken out of it.
  // Then alternatives (alt_user_1 → user) and tuples (tuple_id_1 → fid) are put together.
  void update(const Captures& captures, Fields& fields) const;
  // What <SKIPLINES> skipped.
  [[nodiscard]] std::vector<std::string_view> skipped_lines(const Captures& captures) const;
  // Whether it can say who failed: an address, a name, an id, or the session that knows it.
  [[nodiscard]] bool names_someone() const;

  [[nodiscard]] const std::string& source() const { return source_; }      // as it stands in the filter
  [[nodiscard]] const std::string& expanded() const { return expanded_; }  // PCRE2, for lines of bytes
  // Matches whatever expanded() matches, and more: addresses and names are any text without blanks. For prefilters,
  // which take a hundred times as long to compile the former.
  [[nodiscard]] std::string coarse() const;

 private:
  struct Part {
    std::string group;   // alt_user_1
    std::string target;  // user
  };

  explicit Pattern(Regex bytes) : bytes_(std::move(bytes)) {}
  void find_parts();

  std::string source_;
  std::string expanded_;
  std::string python_;
  Options options_;
  Regex bytes_;
  std::optional<Regex> wide_;  // compiled when the first line comes that isn't ASCII
  bool wide_failed_ = false;
  std::vector<Part> alternatives_;
  std::vector<Part> tuples_;
  std::vector<uint32_t> skips_;
};

}  // namespace palang::f2b
