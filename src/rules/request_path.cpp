#include "rules/request_path.hpp"

#include <algorithm>

namespace palang {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "GET http://host/path" asks a proxy.
std::string_view without_host(std::string_view target) {
  if (target.empty() || target[0] == '/') return target;
  const size_t scheme = target.find("://");
  if (scheme > 8) return target;  // npos, too
  const size_t slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

// The byte at `at`, which moves behind it.
char take_byte(std::string_view text, size_t& at) {
  const char c = text[at++];
  size_t digits = at;
  if (c == '\\' && at < text.size() && text[at] == 'x') {
    digits = at + 1;
  } else if (c != '%') {
    return c;
  }
  if (digits + 2 > text.size()) return c;
  const int high = hex_value(text[digits]);
  const int low = hex_value(text[digits + 1]);
  if (high < 0 || low < 0) return c;
  at = digits + 2;
  return static_cast<char>(high * 16 + low);
}

}  // namespace

std::string_view request_path(std::string_view target, std::string& buffer) {
  target = without_host(target);
  target = target.substr(0, target.find_first_of("?#"));
  const bool plain = target.find_first_of("%\\") == std::string_view::npos &&
                     target.find("//") == std::string_view::npos && target.find("/./") == std::string_view::npos;
  if (plain) return target;
  buffer.clear();
  for (size_t at = 0; at < target.size();) {
    const char c = take_byte(target, at);
    if (c == '/' && buffer.ends_with("/.")) buffer.pop_back();
    if (c == '/' && buffer.ends_with('/')) continue;
    buffer.push_back(c);
  }
  return buffer;
}

std::string_view request_query(std::string_view target) {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

}  // namespace palang
