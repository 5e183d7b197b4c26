// "METHOD PATH QUERY\nBODY", whatever stands in it: a command that keeps the API's limits, or an error in words.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "api/json.hpp"
#include "api/request.hpp"

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

std::pair<std::string_view, std::string_view> split(std::string_view text, char at) {
  const size_t end = std::min(text.find(at), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

void check_length(const std::optional<palang::Duration>& length) {
  require(!length || (*length > palang::Duration{0} && *length <= palang::one_day * 3650));
}

void check(const palang::Command& command) {
  if (const auto* const ban = std::get_if<palang::BanPrefix>(&command)) {
    check_length(ban->length);
    require(ban->reason.size() <= 500);
  }
  if (const auto* const allow = std::get_if<palang::AllowPrefix>(&command)) {
    check_length(allow->length);
    require(allow->note.size() <= 500);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto [head, body] = split({reinterpret_cast<const char*>(data), size}, '\n');
  const auto [method, target] = split(head, ' ');
  const auto [path, query] = split(target, ' ');
  const palang::Result<palang::Command> command = palang::parse_request({method, path, query, body});
  if (command) {
    check(*command);
    require(palang::allowed_methods(path).find(method) != std::string::npos);
    // Everyone is lifted only where something is said of it.
    const auto* const unban = std::get_if<palang::UnbanPrefix>(&*command);
    require(unban == nullptr || unban->prefix || query.find('=') != std::string_view::npos);
  } else {
    require(!command.error().text.empty() && command.error().text.size() < 2000);
    for (const char c : palang::error_json(command.error())) require(c >= 0x20 && c < 0x7f);
  }
  return 0;
}
