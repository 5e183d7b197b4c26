#include "rules/literal_prefix.hpp"

#include <algorithm>
#include <cstring>

namespace palang {
namespace {

constexpr size_t most_prefixes = 64;
constexpr size_t longest_prefix = 48;
constexpr int deepest_group = 16;

using Texts = std::vector<std::string>;

// What a piece of a pattern begins with: texts that the next piece goes on with, and texts that are all there is.
struct Beginnings {
  Texts open;
  Texts done;
};

Texts product(const Texts& heads, const Texts& tails) {
  Texts all;
  for (const std::string& head : heads)
    for (const std::string& tail : tails) all.push_back(head + tail);
  return all;
}

void append(Texts& to, const Texts& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Reads a pattern from its start as long as it is literal.
class PrefixReader {
 public:
  explicit PrefixReader(std::string_view pattern) : pattern_(pattern) {}

  // Alternatives up to the closing parenthesis or the end.
  [[nodiscard]] Beginnings alternatives(int depth) {
    Beginnings all;
    for (;;) {
      const Beginnings one = sequence(depth);
      append(all.open, one.open);
      append(all.done, one.done);
      if (broken_ || at_ >= pattern_.size() || pattern_[at_] != '|') return all;
      ++at_;
    }
  }

  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool at_end() const { return at_ >= pattern_.size(); }

 private:
  enum class Quantifier : uint8_t { one, maybe, many, maybe_many };

  [[nodiscard]] Beginnings sequence(int depth) {
    Beginnings all{{""}, {}};
    while (!broken_ && at_ < pattern_.size() && pattern_[at_] != '|' && pattern_[at_] != ')') {
      Beginnings piece;
      const bool literal = read_piece(depth, piece);
      if (broken_) break;
      const Quantifier quantifier = literal ? read_quantifier() : Quantifier::one;
      const bool too_many = all.open.size() * (piece.open.size() + piece.done.size()) > most_prefixes ||
                            (!all.open.empty() && all.open.front().size() > longest_prefix);
      if (!literal || too_many) {
        append(all.done, all.open);
        all.open.clear();
        skip_rest(depth);
        break;
      }
      const Texts before = all.open;
      append(all.done, product(before, piece.done));
      Texts next = product(before, piece.open);
      if (quantifier == Quantifier::maybe) append(next, before);
      all.open = std::move(next);
      if (quantifier == Quantifier::many || quantifier == Quantifier::maybe_many) {
        append(all.done, all.open);
        if (quantifier == Quantifier::maybe_many) append(all.done, before);
        all.open.clear();
      }
      if (all.open.empty()) {
        skip_rest(depth);
        break;
      }
    }
    return all;
  }

  // Behind a piece whose beginnings don't matter any more: to the '|' or ')' that ends this alternative.
  void skip_rest(int depth) {
    int open = 0;
    for (; at_ < pattern_.size(); ++at_) {
      const char c = pattern_[at_];
      if (c == '\\') {
        if (at_ + 1 < pattern_.size() && (pattern_[at_ + 1] == 'Q' || pattern_[at_ + 1] == 'E')) broken_ = true;
        ++at_;
      } else if (c == '[') {
        skip_class();
      } else if (c == '(') {
        ++open;
      } else if (c == ')' || c == '|') {
        if (open == 0) return;
        if (c == ')') --open;
      }
    }
    if (depth > 0) broken_ = true;
  }

  // From '[' to its ']'.
  void skip_class() {
    size_t i = at_ + 1;
    if (i < pattern_.size() && pattern_[i] == '^') ++i;
    if (i < pattern_.size() && pattern_[i] == ']') ++i;
    for (; i < pattern_.size() && pattern_[i] != ']'; ++i) {
      if (pattern_[i] == '\\') ++i;
      if (i + 1 < pattern_.size() && pattern_[i] == '[' && pattern_[i + 1] == ':') {
        const size_t end = pattern_.find(":]", i + 2);
        if (end != std::string_view::npos) i = end + 1;
      }
    }
    at_ = std::min(i, pattern_.size() - 1);
  }

  // Whether the next piece is literal; then `piece` is what it begins with, and at_ is behind it.
  bool read_piece(int depth, Beginnings& piece) {
    static constexpr std::string_view special = "^$.*+?{}[]()|\\";
    const char c = pattern_[at_];
    if (c == '(') return read_group(depth, piece);
    if (c == '[') return read_class(piece);
    if (c == '\\') {
      const char next = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : 'x';
      const bool punctuation = next > ' ' && next < 0x7f && std::isalnum(static_cast<unsigned char>(next)) == 0;
      if (!punctuation) return false;
      piece.open = {std::string(1, next)};
      at_ += 2;
      return true;
    }
    if (special.find(c) != std::string_view::npos) return false;
    piece.open = {std::string(1, c)};
    ++at_;
    return true;
  }

  // "[Ff]": a few plain letters.
  bool read_class(Beginnings& piece) {
    const size_t end = pattern_.find(']', at_ + 1);
    if (end == std::string_view::npos) return false;
    const std::string_view letters = pattern_.substr(at_ + 1, end - at_ - 1);
    constexpr size_t most_letters = 4;
    if (letters.empty() || letters.size() > most_letters || letters.find_first_of("^-\\[") != std::string_view::npos)
      return false;
    for (const char letter : letters) piece.open.emplace_back(1, letter);
    at_ = end + 1;
    return true;
  }

  bool read_group(int depth, Beginnings& piece) {
    if (depth >= deepest_group) {
      broken_ = true;
      return false;
    }
    size_t inside = at_ + 1;
    if (inside < pattern_.size() && pattern_[inside] == '*') {
      broken_ = true;  // a verb may change what all the rest means
      return false;
    }
    if (inside < pattern_.size() && pattern_[inside] == '?') {
      const std::string_view kind = pattern_.substr(inside, 3);
      if (kind.starts_with("?:") || kind.starts_with("?>")) {
        inside += 2;
      } else if (kind == "?P<" || (kind.starts_with("?<") && kind != "?<=" && kind != "?<!")) {
        inside = pattern_.find('>', inside) + 1;
        if (inside == 0) broken_ = true;
      } else {
        // Options like (?i) or (?x) change the rest; conditions and branch resets are not worth the trouble.
        if (!kind.starts_with("?=") && !kind.starts_with("?!") && kind != "?<=" && kind != "?<!" &&
            !kind.starts_with("?|"))
          broken_ = true;
        return false;
      }
      if (broken_) return false;
    }
    at_ = inside;
    piece = alternatives(depth + 1);
    if (at_ >= pattern_.size() || pattern_[at_] != ')') broken_ = true;
    ++at_;
    return !broken_;
  }

  Quantifier read_quantifier() {
    if (at_ >= pattern_.size()) return Quantifier::one;
    const char c = pattern_[at_];
    if (c != '?' && c != '+' && c != '*' && c != '{') return Quantifier::one;
    if (c == '{') return Quantifier::maybe_many;  // its text is skipped with the rest
    ++at_;
    if (at_ < pattern_.size() && (pattern_[at_] == '?' || pattern_[at_] == '+')) ++at_;  // lazy, possessive
    if (c == '?') return Quantifier::maybe;
    return c == '+' ? Quantifier::many : Quantifier::maybe_many;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace

std::vector<std::string> literal_prefixes(std::string_view pattern) {
  if (!pattern.starts_with('^')) return {};
  pattern.remove_prefix(1);
  PrefixReader reader(pattern);
  Beginnings found = reader.alternatives(0);
  if (reader.broken() || !reader.at_end()) return {};
  // "^a|b" is anchored in its first alternative only.
  int depth = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[') {
      i = std::min(pattern.find(']', i + 2), pattern.size());
    } else if (pattern[i] == '(') {
      ++depth;
    } else if (pattern[i] == ')') {
      --depth;
    } else if (pattern[i] == '|' && depth == 0) {
      return {};
    }
  }
  append(found.done, found.open);
  std::ranges::sort(found.done);
  const auto twice = std::ranges::unique(found.done);
  found.done.erase(twice.begin(), twice.end());
  if (found.done.empty() || found.done.front().empty()) return {};
  return found.done;
}

PrefixTree::PrefixTree(std::vector<Entry> entries) {
  if (entries.empty()) return;
  std::ranges::sort(
      entries, [](const Entry& a, const Entry& b) { return a.prefix != b.prefix ? a.prefix < b.prefix : a.id < b.id; });
  root_ = build(entries, 0, entries.size(), 0, 0);
}

// The entries from `first` to before `last` share their first `depth` letters; `found` ids are on the way here.
uint32_t PrefixTree::build(const std::vector<Entry>& entries, size_t first, size_t last, size_t depth, size_t found) {
  const std::string& low = entries[first].prefix;
  const std::string& high = entries[last - 1].prefix;
  size_t common = depth;
  while (common < low.size() && common < high.size() && low[common] == high[common]) ++common;

  Node node;
  node.label = static_cast<uint32_t>(labels_.size());
  node.label_length = static_cast<uint32_t>(common - depth);
  labels_.append(low, depth, common - depth);
  node.ids = static_cast<uint32_t>(ids_.size());
  for (; first < last && entries[first].prefix.size() == common; ++first) ids_.push_back(entries[first].id);
  node.id_count = static_cast<uint32_t>(ids_.size()) - node.ids;
  found += node.id_count;
  most_found_ = std::max(most_found_, found);

  std::string letters;
  std::vector<uint32_t> children;
  while (first < last) {
    const char letter = entries[first].prefix[common];
    size_t end = first;
    while (end < last && entries[end].prefix[common] == letter) ++end;
    letters.push_back(letter);
    children.push_back(build(entries, first, end, common + 1, found));
    first = end;
  }
  node.edges = static_cast<uint32_t>(edge_nodes_.size());
  node.edge_count = static_cast<uint32_t>(children.size());
  edge_letters_.append(letters);
  edge_nodes_.insert(edge_nodes_.end(), children.begin(), children.end());
  nodes_.push_back(node);
  return static_cast<uint32_t>(nodes_.size() - 1);
}

void PrefixTree::find(std::string_view text, std::vector<uint32_t>& ids) const {
  if (nodes_.empty()) return;
  uint32_t at = root_;
  size_t depth = 0;
  for (;;) {
    const Node& node = nodes_[at];
    if (text.size() - depth < node.label_length ||
        std::memcmp(text.data() + depth, labels_.data() + node.label, node.label_length) != 0)
      return;
    depth += node.label_length;
    for (uint32_t i = 0; i < node.id_count; ++i) ids.push_back(ids_[node.ids + i]);
    if (node.edge_count == 0 || depth >= text.size()) return;
    const void* letter = std::memchr(edge_letters_.data() + node.edges, text[depth], node.edge_count);
    if (letter == nullptr) return;
    at = edge_nodes_[static_cast<size_t>(static_cast<const char*>(letter) - edge_letters_.data())];
    ++depth;
  }
}

}  // namespace palang
