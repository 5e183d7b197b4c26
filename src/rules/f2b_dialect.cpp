#include "rules/f2b_dialect.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace palang::f2b {

namespace {

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
bool is_small(char byte) {
  return byte >= 'a' && byte <= 'z';
}
bool is_word(char byte) {
  return is_digit(byte) || is_small(byte) || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

void append_utf8(std::string& text, uint32_t point) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | (point >> 18 & 7));
    tail(12);
    tail(6);
    tail(0);
  }
}

class Translator {
 public:
  Translator(std::string_view text, bool utf) : text_(text), utf_(utf) {}

  [[nodiscard]] std::string run() {
    while (at_ < text_.size()) {
      if (in_class_) {
        take_in_class();
      } else {
        take();
      }
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] char peek(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void copy(size_t count) {
    result_.append(text_.substr(at_, count));
    at_ += count;
  }

  void take() {
    switch (text_[at_]) {
      case '\\': take_escape(); break;
      case '[': open_class(); break;
      case '{': take_brace(); break;
      case '(': take_group(); break;
      default: copy(1);
    }
  }

  void open_class() {
    in_class_ = true;
    copy(1);
    if (peek(0) == '^') copy(1);
    if (peek(0) == ']') copy(1);
  }

  void take_in_class() {
    switch (text_[at_]) {
      case '\\': take_escape(); break;
      case '[':
        result_ += "\\[";
        ++at_;
        break;
      case ']':
        in_class_ = false;
        copy(1);
        break;
      default: copy(1);
    }
  }

  void take_escape() {
    const char escaped = peek(1);
    if (escaped == 'Z' && !in_class_) {
      result_ += "\\z";
      at_ += 2;
    } else if (escaped == 'u' || escaped == 'U') {
      take_character(escaped == 'u' ? 4 : 8);
    } else {
      copy(std::min<size_t>(2, text_.size() - at_));
    }
  }

  void take_character(size_t digits) {
    uint32_t point = 0;
    size_t read = 0;
    for (; read < digits; ++read) {
      const char digit = peek(2 + read);
      if (is_digit(digit)) {
        point = point * 16 + static_cast<uint32_t>(digit - '0');
      } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
        point = point * 16 + static_cast<uint32_t>((digit | 0x20) - 'a' + 10);
      } else {
        break;
      }
    }
    if (read != digits || point > 0x10ffff) return copy(2);
    at_ += 2 + digits;
    if (utf_ || point < 0x80) {
      constexpr std::string_view hex = "0123456789abcdef";
      std::string number;
      do {
        number.insert(number.begin(), hex[point % 16]);
        point /= 16;
      } while (point != 0);
      result_ += "\\x{" + number + "}";
      return;
    }
    if (!in_class_) result_ += "(?:";
    append_utf8(result_, point);
    if (!in_class_) result_ += ")";
  }

  void take_brace() {
    size_t length = 1;
    while (is_digit(peek(length))) ++length;
    const bool has_least = length > 1;
    bool has_comma = false;
    if (peek(length) == ',') {
      has_comma = true;
      ++length;
      while (is_digit(peek(length))) ++length;
    }
    if (peek(length) != '}' || (!has_least && !has_comma)) {
      result_ += "\\{";
      ++at_;
      return;
    }
    if (has_least) return copy(length + 1);
    result_ += "{0";
    ++at_;
    copy(length);
  }

  // What stands after "(": "?flags)" or "?flags:"; the flags that PCRE2 knows, too.
  struct Flags {
    std::string kept;
    size_t length = 0;  // from the ? on, with the end
    char end = ')';
  };
  [[nodiscard]] std::optional<Flags> flags_at(size_t ahead) const {
    Flags flags;
    if (peek(ahead) != '?') return std::nullopt;
    size_t length = 1;
    for (;; ++length) {
      const char flag = peek(ahead + length);
      if (flag == ')' || flag == ':') {
        if (length == 1) return std::nullopt;
        flags.end = flag;
        flags.length = length + 1;
        return flags;
      }
      if (flag == 'a' || flag == 'L' || flag == 'u') continue;
      if (flag != 'i' && flag != 'm' && flag != 's' && flag != 'x' && flag != '-') return std::nullopt;
      flags.kept += flag;
    }
  }

  void take_group() {
    // ((?i)…) and (?:(?i)…) become (?i:…).
    const size_t inner = peek(1) == '?' && peek(2) == ':' ? 3 : 1;
    if (peek(inner) == '(')
      if (const auto flags = flags_at(inner + 1); flags && flags->end == ')') {
        result_ += "(?" + flags->kept + ":";
        at_ += inner + 1 + flags->length;
        return;
      }
    if (const auto flags = flags_at(1)) {
      result_ += "(?" + flags->kept + flags->end;
      at_ += 1 + flags->length;
      return;
    }
    if (peek(1) == '?' && peek(2) == '(' && is_word(peek(3)) && !is_digit(peek(3))) {
      const size_t close = text_.find(')', at_);
      if (close != std::string_view::npos) {
        result_.append("(?(<").append(text_.substr(at_ + 3, close - at_ - 3)).append(">)");
        at_ = close + 1;
        return;
      }
    }
    if (peek(1) == '?' && peek(2) == '#') {
      const size_t close = text_.find(')', at_);
      at_ = close == std::string_view::npos ? text_.size() : close + 1;
      return;
    }
    copy(1);
  }

  std::string_view text_;
  bool utf_;
  std::string result_;
  size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string to_pcre(std::string_view python, bool utf) {
  return Translator(python, utf).run();
}

}  // namespace palang::f2b
