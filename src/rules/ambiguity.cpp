#include "rules/ambiguity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <optional>
#include <span>
#include <vector>

namespace palang {
namespace {

using Bytes = std::bitset<256>;

// A part of a pattern that matches one byte, or a tag.
struct Atom {
  Bytes bytes;            // what it can hold
  bool address = false;   // it is <ADDR>
  bool repeated = false;  // holds text of any length
  bool certain = true;    // not within anything optional or alternative
  std::string text;       // as it stands in the pattern
};

struct Atoms {
  std::vector<Atom> list;
  bool top_level_choice = false;  // "^a|b": only the first is anchored
  bool ends_line = false;         // the last thing is $
};

Bytes any_byte() {
  return Bytes().set();
}

Bytes single(char c) {
  return Bytes().set(static_cast<unsigned char>(c));
}

Bytes range(char first, char last) {
  Bytes bytes;
  for (int c = static_cast<unsigned char>(first); c <= static_cast<unsigned char>(last); ++c)
    bytes.set(static_cast<size_t>(c));
  return bytes;
}

Bytes digits() {
  return range('0', '9');
}

Bytes spaces() {
  return single(' ') | range('\t', '\r');
}

Bytes word_bytes() {
  return digits() | range('a', 'z') | range('A', 'Z') | single('_');
}

// What "\d" and the like hold; nothing for an assertion like \b.
std::optional<Bytes> escaped_bytes(char c) {
  switch (c) {
    case 'd': return digits();
    case 'D': return ~digits();
    case 's':
    case 'h': return spaces();
    case 'S':
    case 'H': return ~spaces();
    case 'w': return word_bytes();
    case 'W': return ~word_bytes();
    case 'N':
    case 'x': return any_byte();
    case 't': return single('\t');
    case 'b':
    case 'B':
    case 'A':
    case 'z':
    case 'Z':
    case 'G':
    case 'K': return std::nullopt;
    default: return single(c);
  }
}

class AtomReader {
 public:
  explicit AtomReader(std::string_view pattern) : pattern_(pattern) {}

  [[nodiscard]] Atoms read() {
    while (at_ < pattern_.size()) read_one();
    return std::move(atoms_);
  }

 private:
  struct Group {
    size_t first_atom;
    bool choice = false;
    bool assertion = false;
  };

  void read_one() {
    const size_t begin = at_;
    const char c = pattern_[at_++];
    atoms_.ends_line = false;
    switch (c) {
      case '^': return;
      case '$': atoms_.ends_line = groups_.empty(); return;
      case '(': return open_group();
      case ')': return close_group();
      case '|':
        if (groups_.empty())
          atoms_.top_level_choice = true;
        else
          groups_.back().choice = true;
        return;
      case '[': return add(class_bytes(), begin);
      case '.': return add(any_byte(), begin);
      case '<':
        if (read_tag(begin)) return;
        return add(single(c), begin);
      case '\\': {
        const char next = at_ < pattern_.size() ? pattern_[at_++] : '\\';
        const auto bytes = escaped_bytes(next);
        if (bytes)
          add(*bytes, begin);
        else if (next == 'z' || next == 'Z')
          atoms_.ends_line = groups_.empty();
        return;
      }
      default: return add(single(c), begin);
    }
  }

  bool read_tag(size_t begin) {
    const size_t end = pattern_.find('>', at_);
    if (end == std::string_view::npos) return false;
    const std::string_view name = pattern_.substr(at_, end - at_);
    Bytes bytes = any_byte();
    if (name == "PORT")
      bytes = digits();
    else if (name == "WORD")
      bytes = ~spaces();
    else if (name != "ADDR" && name != "USER" && name != "PATH" && name != "ANY")
      return false;
    at_ = end + 1;
    add(bytes, begin);
    atoms_.list.back().repeated = name != "ADDR";
    atoms_.list.back().address = name == "ADDR";
    return true;
  }

  void open_group() {
    groups_.push_back({atoms_.list.size()});
    if (at_ >= pattern_.size() || pattern_[at_] != '?') return;
    const std::string_view kind = pattern_.substr(at_, 3);
    groups_.back().assertion = kind.starts_with("?=") || kind.starts_with("?!") || kind == "?<=" || kind == "?<!";
    if (groups_.back().assertion) {
      at_ += kind.starts_with("?<") ? size_t{3} : size_t{2};
    } else if (kind.starts_with("?<") || kind == "?P<") {
      at_ = std::min(pattern_.find('>', at_), pattern_.size() - 1) + 1;
    } else {
      at_ = std::min(pattern_.find_first_of(":>|)", at_), pattern_.size() - 1);
      if (pattern_[at_] != ')') ++at_;
    }
  }

  void close_group() {
    if (groups_.empty()) return;
    const Group group = groups_.back();
    groups_.pop_back();
    auto& list = atoms_.list;
    const auto first = list.begin() + static_cast<std::ptrdiff_t>(group.first_atom);
    if (group.assertion) {
      list.erase(first, list.end());
      return;
    }
    const Repeat repeat = read_repeat();
    for (auto atom = first; atom != list.end(); ++atom) {
      atom->repeated |= repeat.many;
      atom->certain = atom->certain && !group.choice && !repeat.maybe;
    }
  }

  struct Repeat {
    bool maybe = false;
    bool many = false;
  };

  Repeat read_repeat() {
    Repeat repeat;
    if (at_ >= pattern_.size()) return repeat;
    const char c = pattern_[at_];
    if (c == '?' || c == '*' || c == '+') {
      repeat = {c != '+', c != '?'};
      ++at_;
    } else if (c == '{') {
      // Up to so many as a short number or name has: not enough room for an address and what belongs to it.
      const size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return repeat;
      const std::string_view bounds = pattern_.substr(at_ + 1, end - at_ - 1);
      const size_t comma = bounds.find(',');
      const std::string_view most = comma == std::string_view::npos ? bounds : bounds.substr(comma + 1);
      repeat = {bounds.starts_with('0') || bounds.starts_with(','), most.empty() || most.size() > 1};
      at_ = end + 1;
    } else {
      return repeat;
    }
    if (at_ < pattern_.size() && (pattern_[at_] == '?' || pattern_[at_] == '+')) ++at_;
    return repeat;
  }

  void add(const Bytes& bytes, size_t begin) {
    const Repeat repeat = read_repeat();
    atoms_.list.push_back({bytes, false, repeat.many, !repeat.maybe, std::string(pattern_.substr(begin, at_ - begin))});
  }

  // Behind '['.
  Bytes class_bytes() {
    Bytes bytes;
    const bool negated = at_ < pattern_.size() && pattern_[at_] == '^';
    if (negated) ++at_;
    for (bool first = true; at_ < pattern_.size() && (first || pattern_[at_] != ']'); first = false) {
      char c = pattern_[at_++];
      if (c == '[' && at_ < pattern_.size() && pattern_[at_] == ':') {
        const size_t end = pattern_.find(":]", at_);
        if (end != std::string_view::npos) at_ = end + 2;
        bytes |= any_byte();
        continue;
      }
      if (c == '\\' && at_ < pattern_.size()) {
        c = pattern_[at_++];
        const auto escaped = escaped_bytes(c);
        if (escaped && escaped->count() != 1) {
          bytes |= *escaped;
          continue;
        }
      }
      const bool is_range = at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']';
      if (is_range) {
        bytes |= range(c, pattern_[at_ + 1]);
        at_ += 2;
      } else {
        bytes |= single(c);
      }
    }
    if (at_ < pattern_.size()) ++at_;
    return negated ? ~bytes : bytes;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  Atoms atoms_;
  std::vector<Group> groups_;
};

bool can_hold_address(const Bytes& bytes) {
  return bytes.test('1') && (bytes.test('.') || bytes.test(':'));
}

// What an attacker must write to forge an address behind `wild`: all that is certain between them.
bool can_hold_all(const Bytes& bytes, std::span<const Atom> between) {
  return std::ranges::all_of(between, [&](const Atom& atom) { return !atom.certain || (bytes & atom.bytes).any(); });
}

}  // namespace

std::string why_ambiguous(std::string_view pattern) {
  const Atoms atoms = AtomReader(pattern).read();
  if (atoms.top_level_choice) return "has a | outside of parentheses, so that only what is left of it is anchored";
  const auto& list = atoms.list;
  const auto address = std::ranges::find_if(list, &Atom::address);
  if (address == list.end()) return "";

  Bytes rest;  // what can stand behind the address
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
