#include "rules/pattern_cost.hpp"

#include <algorithm>
#include <span>

#include "rules/pattern_atoms.hpp"
#include "rules/tags.hpp"

namespace palang {
namespace {

using List = std::span<const Atom>;

const ByteSet& held_by(const Atom& atom) {
  return atom.loop.any() ? atom.loop : atom.bytes;
}

bool is_long(const Atom& atom) {
  return atom.run || atom.loop.any();
}

// Whether what follows can begin with what `text` holds, so that there are several places to try.
bool may_end_anywhere(const Atom& text, List rest) {
  for (const Atom& next : rest) {
    if (exclude_each_other(text, next)) continue;
    if ((held_by(text) & next.bytes).any()) return true;
    if (leads_through(next, text)) return false;
  }
  return false;
}

// Whether something stands between the two that one of them can't hold. If it is the first, the second is tried at one
// place only; if it is the second, what it holds from one place on ends before the next.
bool kept_apart(const Atom& first, List between, const Atom& second) {
  return std::ranges::any_of(between, [&](const Atom& atom) {
    return leads_through(atom, second) &&
           ((atom.bytes & held_by(first)).none() || (atom.bytes & held_by(second)).none());
  });
}

bool costs_once(const Atom& first, List rest) {
  for (size_t i = 0; i < rest.size(); ++i)
    if (is_long(rest[i]) && !exclude_each_other(first, rest[i]) && !kept_apart(first, rest.first(i), rest[i]))
      return false;
  return true;
}

bool is_linear(List list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const List rest = list.subspan(i + 1);
    if (list[i].tangled) return false;
    if (is_long(list[i]) && may_end_anywhere(list[i], rest) && !costs_once(list[i], rest)) return false;
  }
  return true;
}

}  // namespace

bool is_linear(std::string_view pattern) {
  const std::string searched = without_last_text(pattern);
  const Atoms atoms = read_atoms(searched);
  if (atoms.opaque || !atoms.begins_line || atoms.top_level_choice || !is_linear(atoms.list)) return false;
  return std::ranges::all_of(atoms.assertions, [&](const Atoms::Assertion& assertion) {
    std::vector<Atom> way(atoms.list.begin(), atoms.list.begin() + static_cast<std::ptrdiff_t>(assertion.before));
    way.insert(way.end(), assertion.list.begin(), assertion.list.end());
    return is_linear(way);
  });
}

}  // namespace palang
