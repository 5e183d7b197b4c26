#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "rules/f2b_date_fields.hpp"
#include "rules/regex.hpp"

namespace palang::f2b {

// One way in which a date may be written in a log line.
class DateTemplate {
 public:
  // A datepattern: "%Y-%m-%d %H:%M:%S" with fail2ban's %Ex…, "{^LN-BEG}…", "{UNB}…", "**" at its ends, "EPOCH",
  // "LEPOCH", "TAI64N", "{EPOCH}" within text. Not "{DATE}" and "{DEFAULT}", which stand for several.
  [[nodiscard]] static Result<std::shared_ptr<const DateTemplate>> make(std::string_view pattern,
                                                                        bool preferred = false);

  // Two templates of one name find the same dates.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& pattern() const { return pattern_; }
  [[nodiscard]] bool at_line_begin() const { return at_line_begin_; }
  [[nodiscard]] bool at_line_end() const { return at_line_end_; }
  // Of the defaults, the anchored forms are preferred where several fit.
  [[nodiscard]] double weight() const { return preferred_ ? 100 : 1; }

  [[nodiscard]] bool match(std::string_view line, Captures& captures, size_t from = 0) const;
  // The time of the last match. What is cut out of the line is group 1.
  [[nodiscard]] std::optional<WallTime> time(const Captures& captures, WallTime now, std::optional<int> default_zone,
                                             LocalClock& clock) const;

 private:
  enum class Kind : unsigned char { fields, epoch, long_epoch, tai64n };
  friend class DateTemplateBuilder;

  explicit DateTemplate(Regex regex) : regex_(std::move(regex)) {}

  std::string name_;
  std::string pattern_;
  Regex regex_;
  Kind kind_ = Kind::fields;
  uint32_t value_group_ = 1;
  bool at_line_begin_ = false;
  bool at_line_end_ = false;
  bool preferred_ = false;
};

using DateTemplates = std::vector<std::shared_ptr<const DateTemplate>>;

// fail2ban's own: with `anchored`, those at the begin of the line come first, then all of them anywhere.
[[nodiscard]] const DateTemplates& default_date_templates(bool anchored);

// `around` with each of the defaults in place of its {DATE}.
[[nodiscard]] Result<DateTemplates> dates_within(std::string_view around);

}  // namespace palang::f2b
