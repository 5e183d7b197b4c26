#pragma once

#include <string>
#include <string_view>

namespace palang::f2b {

// Python's regular expressions as PCRE2 writes them. What compiles in both but means something else:
//   {,n}  is {0,n} (PCRE2 before 10.43 reads it as text), any other { that begins no quantifier is text
//   \Z    is \z (PCRE2's \Z also matches before a line end)
//   [[:alpha:]] is a set of characters, no class
//   (?u) (?a) (?L) mean nothing here; ((?i)…) is (?i:…), as fail2ban reads it
//   (?(name)…) is (?(<name>)…)
//   \uXXXX, \UXXXXXXXX are the character, as \x{…} with `utf`, else as its bytes in UTF-8
[[nodiscard]] std::string to_pcre(std::string_view python, bool utf);

}  // namespace palang::f2b
