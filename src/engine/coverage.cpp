#include "engine/coverage.hpp"

#include <algorithm>

namespace palang {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// "203.0.113.9", "2001:db8::7"
bool is_address(std::string_view word) {
  constexpr size_t longest = 45;  // INET6_ADDRSTRLEN - 1
  if (word.size() < 2 || word.size() > longest) return false;
  return Address::parse(word).has_value();
}

// How many characters from here could be of an address.
size_t address_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && (is_hex(text[length]) || text[length] == '.' || text[length] == ':')) ++length;
  while (length > 0 && (text[length - 1] == '.' || text[length - 1] == ':')) --length;
  return length;
}

std::string shape_of_word(std::string_view word) {
  constexpr size_t long_hex = 8;
  const bool hex = word.size() >= long_hex && std::ranges::all_of(word, is_hex) && std::ranges::any_of(word, is_digit);
  if (hex) return std::ranges::all_of(word, is_digit) ? "N" : "HEX";
  std::string shape;
  for (size_t at = 0; at < word.size(); ++at) {
    if (!is_digit(word[at]))
      shape.push_back(word[at]);
    else if (shape.empty() || shape.back() != 'N' || at == 0 || !is_digit(word[at - 1]))
      shape.push_back('N');
  }
  return shape;
}

}  // namespace

std::string shape_of(std::string_view message) {
  constexpr size_t longest = 400;
  std::string shape;
  for (size_t at = 0; at < message.size() && shape.size() < longest;) {
    const char c = message[at];
    const size_t close = c == '"' ? message.find('"', at + 1) : std::string_view::npos;
    if (close != std::string_view::npos) {
      shape += "\"…\"";
      at = close + 1;
      continue;
    }
    const size_t address = address_length(message.substr(at));
    if (address > 0 && is_address(message.substr(at, address))) {
      shape += "ADDR";
      at += address;
      continue;
    }
    size_t end = at;
    while (end < message.size() && is_word(message[end])) ++end;
    if (end > at)
      shape += shape_of_word(message.substr(at, end - at));
    else
      shape.push_back(c);
    at = std::max(end, at + 1);
  }
  return shape;
}

void Coverage::observe(const Source::Batch& batch) {
  for (const RawLine& raw : batch.lines) {
    ++lines_;
    const LineFate parsed = reader_.parse(raw).fate;
    if (parsed != LineFate::not_ours && parsed != LineFate::no_header) {
      ++understood_;
      continue;
    }
    events_.clear();
    if (reader_.by_rules(raw, parsed, book_, events_) == LineFate::matched) {
      ++understood_;
    } else if (parsed == LineFate::not_ours) {
      take(raw, reader_.line().program, reader_.line().message);
    } else {
      take(raw, {}, raw.text);
    }
  }
}

void Coverage::take(const RawLine& raw, std::string_view program, std::string_view message) {
  const std::string shape = shape_of(message);
  const Key key{std::string(program) + ": " + shape};
  if (shapes_.size() >= most_shapes && shapes_.get(key) == nullptr) {
    ++without_shape_;
    return;
  }
  const auto [slot, is_new] = shapes_.find_or_insert(key);
  if (is_new) {
    shapes_.value(slot).place = list_.size();
    list_.push_back({std::string(program), shape, std::string(raw.text), 0});
  }
  ++list_[shapes_.value(slot).place].lines;
}

std::vector<Coverage::Shape> Coverage::shapes() const {
  std::vector<Shape> sorted = list_;
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &Shape::lines);
  return sorted;
}

}  // namespace palang
