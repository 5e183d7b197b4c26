#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace palang {

// Where a command speaks with a person or a program. The streams must outlive it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool in_is_terminal = false;
  bool colour = false;  // on `out`
  unsigned width = 0;   // of `out` in columns; 0: endless, nothing is cut

  // Standard streams. Colour on a terminal only, and not with NO_COLOR (no-color.org) or TERM=dumb;
  // the width is the terminal's, else that of COLUMNS, else endless.
  [[nodiscard]] static Console of_process();
};

// Text in colour, or unchanged where there is none.
class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}
  [[nodiscard]] std::string bold(std::string_view text) const { return painted("1", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return painted("31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return painted("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return painted("33", text); }

 private:
  [[nodiscard]] std::string painted(std::string_view code, std::string_view text) const;  // SGR, ECMA-48 §8.3.117
  bool colour_;
};

}  // namespace palang
