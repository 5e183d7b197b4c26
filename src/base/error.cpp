#include "base/error.hpp"

#include <cctype>
#include <cstring>

namespace palang {

std::string describe_errno(int os_error) {
  const char* description = strerrordesc_np(os_error);
  const char* name = strerrorname_np(os_error);
  if (description == nullptr || name == nullptr) return "error " + std::to_string(os_error);
  std::string text = description;
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text + " (" + name + ")";
}

Failure fail_os(std::string_view operation, std::string_view subject, int os_error) {
  std::string text(operation);
  if (!subject.empty()) text.append(" ").append(subject);
  text.append(": ").append(describe_errno(os_error));
  return Failure(Error{std::move(text), ErrorKind::fault, os_error});
}

}  // namespace palang
