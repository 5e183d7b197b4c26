#include "rules/f2b_tags.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace palang::f2b {

namespace {

bool is_option_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte == '-' || byte == '.';
}

// Reads `name=value, name="value"` and `…][…` from the text between the outer brackets.
class OptionList {
 public:
  explicit OptionList(std::string_view text) : rest_(text) {}

  [[nodiscard]] Result<Values> read() {
    Values options;
    while (true) {
      skip_blanks();
      if (rest_.empty()) return options;
      if (rest_.front() == ',' && strip(rest_.substr(1)).empty()) return options;
      size_t length = 0;
      while (length < rest_.size() && is_option_name(rest_[length])) ++length;
      if (length == 0 || length == rest_.size() || rest_[length] != '=') return unexpected();
      const std::string name(rest_.substr(0, length));
      rest_.remove_prefix(length + 1);
      if (!take_value(options[name])) return unexpected();
    }
  }

 private:
  [[nodiscard]] bool take_value(std::string& value) {
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const size_t close = quote == '"' || quote == '\'' ? rest_.find(quote, 1) : std::string_view::npos;
    if (close != std::string_view::npos) {
      value = strip(rest_.substr(1, close - 1));
      rest_.remove_prefix(close + 1);
    } else {
      const size_t end = std::min(rest_.find_first_of(",]"), rest_.size());
      value = strip(rest_.substr(0, end));
      rest_.remove_prefix(end);
    }
    return take_separator();
  }

  [[nodiscard]] bool take_separator() {
    if (rest_.empty()) return true;
    if (rest_.front() == ',') {
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.front() != ']') return false;
    rest_.remove_prefix(1);
    skip_blanks();
    if (!rest_.starts_with('[')) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size())); }

  [[nodiscard]] Failure unexpected() const {
    return fail("\"" + escape_controls(rest_.substr(0, 25)) + "\" is no name=value between [ and ]");
  }

  std::string_view rest_;
};

// The next "<tag>" from `from` on: no blanks, no < or > inside.
struct Tag {
  size_t at;
  std::string name;
};
std::optional<Tag> next_tag(std::string_view text, size_t from) {
  while (true) {
    const size_t open = text.find('<', from);
    if (open == std::string_view::npos) return std::nullopt;
    const size_t end = text.find_first_of("<> ", open + 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (text[end] == '>' && end > open + 1) return Tag{open, std::string(text.substr(open + 1, end - open - 1))};
    from = text[end] == '<' ? end : end + 1;
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  std::string result;
  size_t from = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, from)) {
    result.append(text, from, at - from).append(with);
    from = at + what.size();
    if (result.size() > max_value) break;
  }
  result.append(text, from);
  text = std::move(result);
}

class TagSubstitution {
 public:
  TagSubstitution(Values& options, const std::set<std::string, std::less<>>& ignored, const TagSource& others)
      : options_(options), ignored_(ignored), others_(others) {}

  [[nodiscard]] Result<void> run() {
    // Values that took other values in may then hold new tags.
    for (bool again = true; again;) {
      again = false;
      for (auto& [name, value] : options_) {
        if (ignored_.contains(name)) continue;
        const std::string before = value;
        if (auto done = substitute(name, value); !done) return done;
        if (value != before && next_tag(value, 0)) again = true;
      }
    }
    return {};
  }

 private:
  static constexpr int max_repeats = 25;  // of one tag in one value

  [[nodiscard]] Result<void> substitute(const std::string& name, std::string& value) {
    auto& repeats = repeats_[name];
    auto tag = next_tag(value, 0);
    while (tag) {
      const size_t after = tag->at + tag->name.size() + 2;
      if (ignored_.contains(tag->name)) {
        tag = next_tag(value, after);
        continue;
      }
      if (tag->name == name || repeats[tag->name] >= max_repeats)
        return fail("option \"" + escape_controls(name) + "\" contains itself by way of <" +
                    escape_controls(tag->name) + ">");
      const auto with = value_of(tag->name);
      if (!with) {
        tag = next_tag(value, after);
        continue;
      }
      replace_all(value, "<" + tag->name + ">", *with);
      if (value.size() > max_value)
        return fail("option \"" + escape_controls(name) + "\" grows beyond 1 MiB when its tags are replaced");
      ++repeats[tag->name];
      tag = next_tag(value, tag->at);
    }
    return {};
  }

  [[nodiscard]] std::optional<std::string> value_of(const std::string& tag) const {
    if (const auto option = options_.find(tag); option != options_.end()) return option->second;
    return others_(tag);
  }

  Values& options_;
  const std::set<std::string, std::less<>>& ignored_;
  const TagSource& others_;
  std::map<std::string, std::map<std::string, int>> repeats_;
};

}  // namespace

Result<Reference> read_reference(std::string_view text) {
  const size_t open = text.find('[');
  Reference reference;
  reference.name = text.substr(0, open);
  if (reference.name.empty()) return fail("\"" + escape_controls(text.substr(0, 60)) + "\" names nothing");
  if (open == std::string_view::npos) {
    reference.name = strip(reference.name);
    return reference;
  }
  const std::string_view end = text.substr(0, text.find_last_not_of(blanks) + 1);
  if (!end.ends_with(']')) return fail("\"" + escape_controls(text.substr(0, 60)) + "\" lacks the ] at its end");
  auto options = OptionList(end.substr(open + 1, end.size() - open - 2)).read();
  if (!options) return std::unexpected(options.error());
  reference.options = std::move(*options);
  return reference;
}

std::vector<std::string> split_references(std::string_view text) {
  std::vector<std::string> found;
  std::string current;
  char quote = '\0';
  int depth = 0;
  for (const char byte : text) {
    if (quote != '\0') {
      if (byte == quote) quote = '\0';
    } else if (depth > 0 && (byte == '"' || byte == '\'')) {
      quote = byte;
    } else if (byte == '[') {
      ++depth;
    } else if (byte == ']' && depth > 0) {
      --depth;
    }
    if (quote == '\0' && depth == 0 && blanks.find(byte) != std::string_view::npos) {
      if (!current.empty()) found.push_back(std::move(current));
      current.clear();
    } else {
      current += byte;
    }
  }
  if (!current.empty()) found.push_back(std::move(current));
  return found;
}

Result<Values> substitute_tags(Values options, const std::set<std::string, std::less<>>& ignored,
                               const TagSource& others) {
  const auto done = TagSubstitution(options, ignored, others).run();
  if (!done) return std::unexpected(done.error());
  return options;
}

}  // namespace palang::f2b
