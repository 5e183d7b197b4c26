#include "rules/pattern_atoms.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace palang {
namespace {

ByteSet any_byte() {
  return ByteSet().set();
}

ByteSet single(char c) {
  return ByteSet().set(static_cast<unsigned char>(c));
}

ByteSet range(char first, char last) {
  ByteSet bytes;
  for (int c = static_cast<unsigned char>(first); c <= static_cast<unsigned char>(last); ++c)
    bytes.set(static_cast<size_t>(c));
  return bytes;
}

ByteSet digits() {
  return range('0', '9');
}

ByteSet spaces() {
  return single(' ') | range('\t', '\r');
}

ByteSet word_bytes() {
  return digits() | range('a', 'z') | range('A', 'Z') | single('_');
}

ByteSet in_both_cases(ByteSet bytes) {
  for (size_t c = 'a'; c <= 'z'; ++c)
    if (const size_t upper = c - 'a' + 'A'; bytes.test(c) || bytes.test(upper)) bytes.set(c).set(upper);
  return bytes;
}

// What "\d" and the like hold; nothing for an assertion like \b.
std::optional<ByteSet> escaped_bytes(char c) {
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
    atoms_.begins_line = pattern_.starts_with('^');
    while (at_ < pattern_.size()) read_one();
    return std::move(atoms_);
  }

 private:
  struct Group {
    size_t first_atom;
    uint32_t id;
    uint32_t alternative = 0;
    bool assertion = false;

    [[nodiscard]] bool choice() const { return alternative > 0; }
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
          ++groups_.back().alternative;
        return;
      case '[': return add(class_bytes(), begin);
      case '.': return add(any_byte(), begin);
      case '<':
        if (read_tag(begin)) return;
        return add(single(c), begin);
      case '\\': {
        const char next = at_ < pattern_.size() ? pattern_[at_++] : '\\';
        const auto bytes = escaped_bytes(next);
        atoms_.opaque |= std::string_view("123456789gkRXCK").contains(next);
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
    ByteSet bytes = any_byte();
    if (name == "PORT")
      bytes = digits();
    else if (name == "WORD")
      bytes = ~spaces();
    else if (name != "ADDR" && name != "USER" && name != "PATH" && name != "ANY")
      return false;
    at_ = end + 1;
    add(bytes, begin);
    atoms_.list.back().repeated = atoms_.list.back().run = name != "ADDR";
    atoms_.list.back().address = name == "ADDR";
    return true;
  }

  void open_group() {
    groups_.push_back({.first_atom = atoms_.list.size(), .id = groups_opened_++});
    if (at_ >= pattern_.size() || pattern_[at_] != '?') return;
    const std::string_view kind = pattern_.substr(at_, 3);
    groups_.back().assertion = kind.starts_with("?=") || kind.starts_with("?!") || kind == "?<=" || kind == "?<!";
    if (groups_.back().assertion) {
      at_ += kind.starts_with("?<") ? size_t{3} : size_t{2};
    } else if (kind.starts_with("?<") || kind == "?P<") {
      at_ = std::min(pattern_.find('>', at_), pattern_.size() - 1) + 1;
    } else {
      const char what = kind.size() < 2 ? '&' : kind[1];
      atoms_.opaque |= !std::string_view(":>|i").contains(what);
      caseless_ |= what == 'i';
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
      atoms_.assertions.push_back({group.first_atom, {first, list.end()}});
      list.erase(first, list.end());
      return;
    }
    const Repeat repeat = read_repeat();
    for (auto atom = first; atom != list.end(); ++atom) {
      atom->repeated |= repeat.many;
      atom->certain = atom->certain && !group.choice() && !repeat.maybe;
    }
    if (repeat.many) note_loop({first, list.end()});
    if (group.choice() || repeat.maybe) return;
    for (auto atom = first; atom != list.end(); ++atom)
      std::erase_if(atom->branches, [&](const Atom::Branch& branch) { return branch.group == group.id; });
  }

  static void note_loop(std::span<Atom> body) {
    if (body.empty()) return;
    ByteSet loop;
    for (const Atom& atom : body) loop |= atom.bytes;
    for (const Atom& run : body) {
      // A round must be told from the next by something that no text of any length in it can hold.
      const bool told = std::ranges::any_of(
          body, [&](const Atom& atom) { return leads_through(atom, run) && (atom.bytes & run.bytes).none(); });
      body.back().tangled |= run.run && !told;
    }
    body.back().loop = loop;
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

  void add(const ByteSet& bytes, size_t begin) {
    const Repeat repeat = read_repeat();
    Atom atom{.bytes = caseless_ ? in_both_cases(bytes) : bytes,
              .repeated = repeat.many,
              .run = repeat.many,
              .certain = !repeat.maybe,
              .text = std::string(pattern_.substr(begin, at_ - begin))};
    for (const Group& group : groups_) atom.branches.push_back({group.id, group.alternative});
    if (repeat.maybe) atom.branches.push_back({groups_opened_++, 0});
    atoms_.list.push_back(std::move(atom));
  }

  // Behind '['.
  ByteSet class_bytes() {
    ByteSet bytes;
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
  uint32_t groups_opened_ = 0;
  bool caseless_ = false;
};

}  // namespace

bool leads_through(const Atom& earlier, const Atom& later) {
  return earlier.branches.size() <= later.branches.size() &&
         std::ranges::equal(earlier.branches, std::span(later.branches).first(earlier.branches.size()));
}

bool exclude_each_other(const Atom& one, const Atom& other) {
  for (size_t i = 0; i < std::min(one.branches.size(), other.branches.size()); ++i)
    if (one.branches[i] != other.branches[i]) return one.branches[i].group == other.branches[i].group;
  return false;
}

Atoms read_atoms(std::string_view pattern) {
  return AtomReader(pattern).read();
}

}  // namespace palang
