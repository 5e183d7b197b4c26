#pragma once

#include <string>
#include <string_view>

namespace palang {

// Whether text that an attacker writes can move <ADDR> to an address of his choice: "" if it can't, else a sentence.
//
// What stands before <ADDR> and can hold anything (<USER>, .*, [^x]+, …) can hold what the pattern has between it and
// <ADDR>, too, and then an address: "x from 192.0.2.1". That is harmless in two cases:
//   - between the two the pattern has a character that the text can't hold: user=<[^>]*>, rip=<ADDR>
//   - behind <ADDR> the pattern goes on to the end of the line ($) with nothing that could hold the real rest, so that
//   only
//     the last address of the line fits
// The check is coarse where patterns are: it may refuse one that is sound.
[[nodiscard]] std::string why_ambiguous(std::string_view pattern);

}  // namespace palang
