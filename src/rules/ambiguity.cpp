#include "rules/ambiguity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "rules/pattern_atoms.hpp"

namespace palang {
namespace {

bool can_hold_address(const ByteSet& bytes) {
  return bytes.test('1') && (bytes.test('.') || bytes.test(':'));
}

// What an attacker must write to forge an address behind `wild`: all that is certain between them.
bool can_hold_all(const ByteSet& bytes, std::span<const Atom> between) {
  return std::ranges::all_of(between, [&](const Atom& atom) { return !atom.certain || (bytes & atom.bytes).any(); });
}

}  // namespace

std::string why_ambiguous(std::string_view pattern) {
  const Atoms atoms = read_atoms(pattern);
  if (atoms.top_level_choice) return "has a | outside of parentheses, so that only what is left of it is anchored";
  const auto& list = atoms.list;
  const auto address = std::ranges::find_if(list, &Atom::address);
  if (address == list.end()) return "";

  ByteSet rest;  // what can stand behind the address
  for (auto atom = address + 1; atom != list.end(); ++atom) rest |= atom->bytes;
  for (auto wild = list.begin(); wild != address; ++wild) {
    if (!wild->repeated) continue;
    const std::span<const Atom> between(wild + 1, address);
    if (!can_hold_address(wild->bytes) || !can_hold_all(wild->bytes, between)) continue;
    const bool rest_can_hold = !atoms.ends_line || (can_hold_all(rest, between) && can_hold_address(rest));
    if (!rest_can_hold) continue;
    return fmt::format("whoever writes what {} stands for can name another address: {}", wild->text,
                       atoms.ends_line ? "what follows <ADDR> can hold the real one"
                                       : "the pattern must go on to the end of the line ($)");
  }
  return "";
}

}  // namespace palang
