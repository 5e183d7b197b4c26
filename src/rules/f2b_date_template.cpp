#include "rules/f2b_date_template.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/text.hpp"
#include "rules/f2b_date_fields.hpp"
#include "rules/f2b_date_syntax.hpp"
#include "rules/f2b_dialect.hpp"
#include "rules/f2b_ini.hpp"

namespace palang::f2b {

namespace {

constexpr std::string_view line_begin_mark = "{^LN-BEG}";
constexpr std::string_view unbound_mark = "{UNB}";

// The formats that fail2ban finds without being told, in its order.
constexpr std::array<std::string_view, 17> built_in = {
    R"(%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\s*%z)?)",
    R"((?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"((?:%a )?%b %d %ExY %k:%M:%S(?:\.%f)?)",
    R"(%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S)",
    R"(%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\.%f)?(?: %z)?)",
    R"(%m/%d/%ExY:%H:%M:%S)",
    R"(%m-%d-%ExY %k:%M:%S(?:\.%f)?)",
    R"(EPOCH)",
    R"({^LN-BEG}%H:%M:%S)",
    R"(^<%m/%d/%Exy@%H:%M:%S>)",
    R"(%Exy%Exm%Exd  ?%H:%M:%S)",
    R"(%b %d, %ExY %I:%M:%S %p)",
    R"(^%b-%d-%Exy %k:%M:%S)",
    R"(%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\s*%z)?)",
    R"((?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"((?:%z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"(TAI64N)",
};

constexpr std::string_view epoch_digits = R"(\d{10,11}\b(?:\.\d{3,6})?)";
constexpr std::string_view long_epoch_digits = R"(\d{10,11}(?:\d{3}(?:\.\d{1,6}|\d{3})?)?)";

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  return result;
}

// Where "{DATE}" (in any case, not after a backslash) stands.
size_t find_mark(std::string_view text, std::string_view mark, size_t from = 0) {
  const std::string shouted = upper(text);
  for (size_t at = shouted.find(mark, from); at != std::string::npos; at = shouted.find(mark, at + 1))
    if (at == 0 || text[at - 1] != '\\') return at;
  return std::string::npos;
}

std::string replace_mark(std::string_view text, std::string_view mark, std::string_view with) {
  std::string result;
  size_t from = 0;
  for (size_t at = find_mark(text, mark); at != std::string::npos; at = find_mark(text, mark, from)) {
    result.append(text.substr(from, at - from)).append(with);
    from = at + mark.size();
  }
  return result.append(text.substr(from));
}

// "1118751600.123" in microseconds.
std::optional<WallTime> decimal_seconds(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  int64_t seconds = 0;
  if (std::from_chars(text.data(), text.data() + point, seconds).ptr != text.data() + point) return std::nullopt;
  int64_t micros = 0;
  for (size_t digit = 0; digit < 6; ++digit) {
    const size_t at = point + 1 + digit;
    micros = micros * 10 + (at < text.size() && text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 0);
  }
  return WallTime{std::chrono::seconds{seconds} + std::chrono::microseconds{micros}};
}

// Seconds, milliseconds (13 digits and more) or microseconds (16 and more).
std::optional<WallTime> long_seconds(std::string_view text) {
  if (text.size() < 13) return decimal_seconds(text);
  const size_t point = std::min(text.find('.'), text.size());
  int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + point, value).ptr != text.data() + point) return std::nullopt;
  if (point == text.size() && text.size() >= 16) return WallTime{std::chrono::microseconds{value}};
  const auto fraction = decimal_seconds("0" + std::string(text.substr(point)));
  return WallTime{std::chrono::milliseconds{value}} + fraction.value_or(WallTime{}).time_since_epoch() / 1000;
}

// "@4000000045…": 2 to 17 are the seconds in hex.
std::optional<WallTime> tai_seconds(std::string_view text) {
  if (text.size() < 17) return std::nullopt;
  const std::string_view hex = text.substr(2, 15);
  int64_t seconds = 0;
  const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), seconds, 16);
  constexpr int64_t sane = int64_t{1} << 36;
  if (read.ptr != hex.data() + hex.size() || seconds > sane) return std::nullopt;
  return WallTime{std::chrono::seconds{seconds}};
}

}  // namespace

class DateTemplateBuilder {
 public:
  DateTemplateBuilder(std::string_view pattern, bool preferred) : pattern_(pattern), preferred_(preferred) {
    if (rest_starts_with(unbound_mark)) {
      rest_ = pattern_.substr(unbound_mark.size());
      start_ = DateStart::anywhere;
      word_end_ = false;
    } else if (rest_starts_with(line_begin_mark)) {
      rest_ = pattern_.substr(line_begin_mark.size());
      start_ = DateStart::at_line;
    }
  }

  [[nodiscard]] Result<std::shared_ptr<const DateTemplate>> build() {
    std::string word = upper(rest_);
    bool at_line = start_ == DateStart::at_line;
    if (word.starts_with('^')) {
      word.erase(0, 1);
      at_line = true;
    }
    if (word == "EPOCH" || word == "LEPOCH") return build_epoch(word == "LEPOCH", at_line);
    if (word == "TAI64N") {
      kind_ = DateTemplate::Kind::tai64n;
      return finish(word, bound_date("@[0-9a-f]{24}", at_line ? DateStart::at_line : DateStart::anywhere, true));
    }
    for (const std::string_view mark : {"{LEPOCH}", "{EPOCH}"})
      if (find_mark(pattern_, mark) != std::string::npos) return build_epoch_within(mark);
    const auto fields = expand_date_fields(rest_);
    if (!fields) return std::unexpected(fields.error());
    return finish(rest_, bound_date(*fields, start_, word_end_));
  }

 private:
  [[nodiscard]] bool rest_starts_with(std::string_view mark) const { return pattern_.starts_with(mark); }

  // At the start of the line, in [ ] there, or in SELinux' audit(…:123).
  [[nodiscard]] Result<std::shared_ptr<const DateTemplate>> build_epoch(bool is_long, bool at_line) {
    const std::string digits(is_long ? long_epoch_digits : epoch_digits);
    kind_ = is_long ? DateTemplate::Kind::long_epoch : DateTemplate::Kind::epoch;
    if (at_line) {
      const std::string regex = R"(((?P<square>(?<=^\[))?)" + digits + R"()(?(square)(?=\])))";
      return finish(upper(rest_), bound_date(regex, DateStart::at_line, true));
    }
    const std::string regex = R"(((?:^|(?P<square>(?<=^\[))|(?P<selinux>(?<=\baudit\())))" + digits +
                              R"()(?:(?(selinux)(?=:\d+\)))|(?(square)(?=\]))))";
    return finish(upper(rest_), bound_date(regex, DateStart::anywhere, true));
  }

  [[nodiscard]] Result<std::shared_ptr<const DateTemplate>> build_epoch_within(std::string_view mark) {
    const bool is_long = mark == "{LEPOCH}";
    kind_ = is_long ? DateTemplate::Kind::long_epoch : DateTemplate::Kind::epoch;
    value_group_ = 2;
    const std::string digits = "(" + std::string(is_long ? long_epoch_digits : epoch_digits) + ")";
    return finish(pattern_, bound_date("(" + replace_mark(pattern_, mark, digits) + ")", DateStart::at_word, true));
  }

  [[nodiscard]] Result<std::shared_ptr<const DateTemplate>> finish(std::string_view name, const DateRegex& regex) {
    auto compiled = Regex::compile(to_pcre(regex.text, false));
    if (!compiled) return std::unexpected(compiled.error());
    if (compiled->groups() == 0) return fail("it has no group");
    std::shared_ptr<DateTemplate> made(new DateTemplate(std::move(*compiled)));
    made->name_ = std::string(start_ == DateStart::at_line ? line_begin_mark : "") + std::string(name);
    made->pattern_ = pattern_;
    made->kind_ = kind_;
    made->value_group_ = value_group_;
    made->at_line_begin_ = regex.at_line_begin;
    made->at_line_end_ = regex.at_line_end;
    made->preferred_ = preferred_;
    return made;
  }

  std::string_view pattern_;
  bool preferred_;
  std::string_view rest_ = pattern_;
  DateStart start_ = DateStart::at_word;
  bool word_end_ = true;
  DateTemplate::Kind kind_ = DateTemplate::Kind::fields;
  uint32_t value_group_ = 1;
};

Result<std::shared_ptr<const DateTemplate>> DateTemplate::make(std::string_view pattern, bool preferred) {
  auto made = DateTemplateBuilder(pattern, preferred).build();
  if (!made) return fail("the datepattern \"" + escape_controls(pattern) + "\": " + made.error().text);
  return made;
}

bool DateTemplate::match(std::string_view line, Captures& captures, size_t from) const {
  return regex_.match(line, captures, from);
}

std::optional<WallTime> DateTemplate::time(const Captures& captures, WallTime now, std::optional<int> default_zone,
                                           LocalClock& clock) const {
  const std::string_view value = captures.group(value_group_).value_or("");
  switch (kind_) {
    case Kind::epoch: return decimal_seconds(value);
    case Kind::long_epoch: return long_seconds(value);
    case Kind::tai64n: return tai_seconds(value);
    case Kind::fields: break;
  }
  DateFields fields;
  for (const Regex::Name& name : regex_.names())
    if (std::string_view* field = fields.by_name(name.name)) {
      const auto text = captures.group(name.number);
      if (text) *field = *text;
    }
  return time_of(fields, now, default_zone, clock);
}

namespace {

// What is built in compiles, or the program is broken.
std::shared_ptr<const DateTemplate> built_in_template(const std::string& pattern, bool preferred) {
  auto made = DateTemplate::make(pattern, preferred);
  if (!made) std::abort();
  return *made;
}

DateTemplates make_defaults(bool anchored) {
  DateTemplates templates;
  for (const std::string_view pattern : built_in) {
    if (!anchored || pattern.starts_with(line_begin_mark) || pattern.starts_with('^')) continue;
    templates.push_back(built_in_template(std::string(line_begin_mark) + std::string(pattern), true));
  }
  for (const std::string_view pattern : built_in) templates.push_back(built_in_template(std::string(pattern), false));
  return templates;
}

}  // namespace

const DateTemplates& default_date_templates(bool anchored) {
  static const DateTemplates plain = make_defaults(false);
  static const DateTemplates with_anchored = make_defaults(true);
  return anchored ? with_anchored : plain;
}

Result<DateTemplates> dates_within(std::string_view around) {
  DateTemplates templates;
  for (const std::string_view pattern : built_in) {
    if (pattern.find('%') == std::string_view::npos) continue;  // EPOCH and TAI64N are words of their own
    const std::string_view bare =
        pattern.starts_with(line_begin_mark) ? pattern.substr(line_begin_mark.size()) : pattern;
    auto made = DateTemplate::make(replace_mark(around, "{DATE}", bare));
    if (!made) return std::unexpected(made.error());
    templates.push_back(std::move(*made));
  }
  return templates;
}

}  // namespace palang::f2b
