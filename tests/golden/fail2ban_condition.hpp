#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palang::samples {

// The conditions of fail2ban's sample files, a small part of Python:
//   name == 'sshd' and opts.get('mode') not in ('normal', 'ddos')
class Condition {
 public:
  // `option`: the value of an option, nothing if it isn't given.
  template <typename Option>
  Condition(std::string_view text, std::string_view name, const Option& option) : text_(text) {
    values_ = [&] {
      std::vector<Value> values;
      while (auto token = next_token()) {
        if (*token == "name") {
          values.push_back({Kind::text, std::string(name)});
        } else if (*token == "opts") {
          std::string key;
          for (auto part = next_token(); part && *part != ")"; part = next_token())
            if (part->starts_with('\'')) key = part->substr(1);
          const std::optional<std::string> value = option(key);
          values.push_back({value ? Kind::text : Kind::none, value.value_or("")});
        } else if (token->starts_with('\'')) {
          values.push_back({Kind::text, token->substr(1)});
        } else if (*token == "None") {
          values.push_back({Kind::none, ""});
        } else {
          values.push_back({Kind::word, *token});
        }
      }
      return values;
    }();
  }

  // Nothing if the condition isn't understood.
  [[nodiscard]] std::optional<bool> holds() {
    at_ = 0;
    const bool result = any();
    return understood_ && at_ == values_.size() ? std::optional(result) : std::nullopt;
  }

 private:
  enum class Kind : unsigned char { word, text, none };
  struct Value {
    Kind kind;
    std::string text;
    friend bool operator==(const Value&, const Value&) = default;
  };

  // Words, 'strings (without the end), operators, brackets.
  std::optional<std::string> next_token() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '.')) text_.remove_prefix(1);
    if (text_.empty()) return std::nullopt;
    size_t length = 1;
    std::string token;
    if (text_.front() == '\'' || text_.front() == '"') {
      const size_t close = text_.find(text_.front(), 1);
      length = close == std::string_view::npos ? text_.size() : close + 1;
      token = "'" + std::string(text_.substr(1, length - 2));
    } else if (text_.starts_with("==") || text_.starts_with("!=")) {
      length = 2;
    } else {
      const auto is_word = [](char byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; };
      while (is_word(text_.front()) && length < text_.size() && is_word(text_[length])) ++length;
    }
    if (token.empty()) token = text_.substr(0, length);
    text_.remove_prefix(length);
    return token;
  }

  bool take(std::string_view word) {
    if (at_ >= values_.size() || values_[at_].kind != Kind::word || values_[at_].text != word) return false;
    ++at_;
    return true;
  }
  Value value() {
    if (at_ < values_.size() && values_[at_].kind != Kind::word) return values_[at_++];
    understood_ = false;
    return {Kind::none, ""};
  }

  bool any() {
    bool result = all();
    while (take("or")) {
      const bool right = all();
      result = result || right;
    }
    return result;
  }
  bool all() {
    bool result = one();
    while (take("and")) {
      const bool right = one();
      result = result && right;
    }
    return result;
  }
  bool one() {
    if (take("not")) return !one();
    if (take("(")) {
      const bool result = any();
      if (!take(")")) understood_ = false;
      return result;
    }
    const Value left = value();
    if (take("==")) return left == value();
    if (take("!=")) return left != value();
    const bool negated = take("not");
    if (take("in")) return contains(left) != negated;
    return left.kind == Kind::text && !left.text.empty();
  }
  bool contains(const Value& wanted) {
    bool found = false;
    if (!take("(") && !take("[")) understood_ = false;
    while (understood_ && !take(")") && !take("]")) {
      found = value() == wanted || found;
      take(",");
    }
    return found;
  }

  std::string_view text_;
  std::vector<Value> values_;
  size_t at_ = 0;
  bool understood_ = true;
};

}  // namespace palang::samples
