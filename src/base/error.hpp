#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace palang {

// What a caller may want to tell apart; it becomes the exit code of a command.
enum class ErrorKind : unsigned char { fault, usage, not_found, bad_config };

// An Error reads as a sentence: operation, subject, cause.
//   "open /var/log/kern.log: permission denied (EACCES)"
struct Error {
  std::string text;
  ErrorKind kind = ErrorKind::fault;
  int os = 0;  // errno where the cause was the operating system, else 0

  static Error usage(std::string text) { return {std::move(text), ErrorKind::usage, 0}; }
  static Error not_found(std::string text) { return {std::move(text), ErrorKind::not_found, 0}; }
  static Error bad_config(std::string text) { return {std::move(text), ErrorKind::bad_config, 0}; }
};

template <typename T>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

// Failure of a system call, with errno spelled out: fail_os("open", path, errno).
[[nodiscard]] Failure fail_os(std::string_view operation, std::string_view subject, int os_error);

[[nodiscard]] inline Failure fail(std::string text) {
  return Failure(Error{std::move(text)});
}

// "no buffer space available (ENOBUFS)"
[[nodiscard]] std::string describe_errno(int os_error);

}  // namespace palang
