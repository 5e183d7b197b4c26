#include "parse/repeated_message.hpp"

#include <algorithm>
#include <charconv>

namespace palang {

uint32_t unroll(std::string_view& message) {
  constexpr std::string_view begin = "message repeated ";
  constexpr std::string_view middle = " times: [";
  constexpr uint32_t most = 10'000;  // more than any threshold
  if (!message.starts_with(begin) || !message.ends_with(']')) return 1;
  uint32_t times = 0;
  const char* const number = message.data() + begin.size();
  const auto [end, error] = std::from_chars(number, message.data() + message.size(), times);
  std::string_view rest = message.substr(static_cast<size_t>(end - message.data()));
  if (error != std::errc() || times == 0 || !rest.starts_with(middle)) return 1;
  rest = rest.substr(middle.size(), rest.size() - middle.size() - 1);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  message = rest;
  return std::min(times, most);
}

}  // namespace palang
