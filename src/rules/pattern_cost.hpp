#pragma once

#include <string_view>

namespace palang {

// Whether trying this pattern, tags and all, takes a number of steps that is at most proportional to the length of the
// text, whatever the text is. Where text of any length can end at several places (<USER> before " from "), all that
// follows is tried at each of them; that stays proportional if what follows is short, or if its own texts of any length
// can't reach from one such place to the next.
// The answer is "no" in doubt.
[[nodiscard]] bool is_linear(std::string_view pattern);

}  // namespace palang
