#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <iostream>

namespace palang {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

unsigned width_of_output() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  const std::string_view columns = environment("COLUMNS");
  unsigned width = 0;
  const auto [end, status] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  return status == std::errc{} && end == columns.data() + columns.size() ? width : 0;
}

}  // namespace

Console Console::of_process() {
  Console console{std::cout, std::cerr, std::cin};
  console.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  console.colour = ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  console.width = width_of_output();
  return console;
}

std::string Style::painted(std::string_view code, std::string_view text) const {
  if (!colour_) return std::string(text);
  std::string result("\x1b[");
  return result.append(code).append("m").append(text).append("\x1b[0m");
}

}  // namespace palang
