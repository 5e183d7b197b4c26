#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang {

using ByteSet = std::bitset<256>;

// A part of a pattern that matches one byte, or a tag.
struct Atom {
  ByteSet bytes;          // what it can hold
  bool address = false;   // it is <ADDR>
  bool repeated = false;  // holds text of any length, alone or with others
  bool run = false;       // holds text of any length alone
  bool certain = true;    // not within anything optional or alternative
  std::string text = {};  // as it stands in the pattern

  // The groups around it that may be passed over, outermost first, and which of their alternatives it is in.
  struct Branch {
    uint32_t group;
    uint32_t alternative;
    bool operator==(const Branch&) const = default;
  };
  std::vector<Branch> branches = {};
  // For the last one of a group that is repeated: all that the group can hold.
  ByteSet loop = {};
  bool tangled = false;  // it is also true that a repeated group can be divided into its rounds in several ways
};

struct Atoms {
  std::vector<Atom> list;
  bool top_level_choice = false;  // "^a|b": only the first is anchored
  bool begins_line = false;       // the first thing is ^
  bool ends_line = false;         // the last thing is $
  bool opaque = false;            // has what this reading leaves out: references, conditions

  // Assertions are left out of the list; these are they, with the place of the atom before which they stand.
  struct Assertion {
    size_t before;
    std::vector<Atom> list;
  };
  std::vector<Assertion> assertions;
};

// Whether all that leads to `later` leads through `earlier`, which stands before it.
[[nodiscard]] bool leads_through(const Atom& earlier, const Atom& later);
// Whether no text is matched by both, as they are in different alternatives of a group.
[[nodiscard]] bool exclude_each_other(const Atom& one, const Atom& other);

// What a pattern consists of, in a coarse reading: for questions about all that it may match.
[[nodiscard]] Atoms read_atoms(std::string_view pattern);

}  // namespace palang
