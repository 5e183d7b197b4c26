#include "parse/http_access.hpp"

#include <algorithm>
#include <cstring>

#include "net/address_text.hpp"
#include "parse/time_parts.hpp"

namespace palang {
namespace {

// Up to the next space; `rest` is moved behind it.
std::string_view take_field(std::string_view& rest) {
  const size_t space = std::min(rest.find(' '), rest.size());
  const std::string_view field = rest.substr(0, space);
  rest.remove_prefix(std::min(space + 1, rest.size()));
  return field;
}

std::string_view without_dash(std::string_view field) {
  return field == "-" ? std::string_view{} : field;
}

// Whether it may be "host" or "host:port".
bool may_be_host(std::string_view field) {
  return !field.empty() && field.find_first_of("\"[]") == std::string_view::npos;
}

std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == host.size()) return host;
  return std::all_of(host.begin() + static_cast<std::ptrdiff_t>(colon) + 1, host.end(), is_digit)
             ? host.substr(0, colon)
             : host;
}

// The text between quotes at the beginning of `rest`, which moves behind it; a quote inside has a backslash before it.
std::optional<std::string_view> take_quoted(std::string_view& rest) {
  if (rest.empty() || rest[0] != '"') return {};
  size_t from = 1;
  for (;;) {
    const size_t quote = rest.find('"', from);
    if (quote == std::string_view::npos) return {};
    size_t slashes = 0;
    while (slashes < quote - 1 && rest[quote - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 1) {
      from = quote + 1;
      continue;
    }
    const std::string_view text = rest.substr(1, quote - 1);
    rest.remove_prefix(quote + 1);
    return text;
  }
}

// " [time] \"" and what is before it, the user; `rest` is moved to the quote.
bool take_user_and_time(std::string_view& rest, HttpAccess& access, LogTimeReader& times) {
  for (size_t bracket = rest.find('['); bracket != std::string_view::npos; bracket = rest.find('[', bracket + 1)) {
    if (bracket == 0 || rest[bracket - 1] != ' ') continue;
    const auto stamp = times.access(rest.substr(bracket + 1));
    if (!stamp) continue;
    const size_t end = bracket + 1 + stamp->length;
    if (rest.substr(end, 3) != "] \"") continue;
    access.at = stamp->at;
    access.user = without_dash(rest.substr(0, bracket - 1));
    rest.remove_prefix(end + 2);
    return true;
  }
  return false;
}

// The client and, before it, perhaps a host. A host can be written like an address, and by the client; but where the
// second field is an address it is the client, for an ident is none.
bool take_client(std::string_view& rest, HttpAccess& access) {
  const std::string_view first = take_field(rest);
  const size_t space = std::min(rest.find(' '), rest.size());
  const std::string_view second = rest.substr(0, space);
  std::optional<Address> client;
  if (second != "-") client = read_address(second);
  if (client && may_be_host(first)) {
    access.host = without_port(without_dash(first));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  } else {
    client = read_address(first);
  }
  if (!client) return false;
  access.client = *client;
  return true;
}

}  // namespace

void read_request_line(std::string_view request, HttpAccess& access) {
  constexpr size_t longest_method = 24;
  access.method = {};
  access.target = without_dash(request);
  const size_t space = request.substr(0, longest_method + 1).find(' ');
  if (space == std::string_view::npos || space == 0) return;
  const std::string_view method = request.substr(0, space);
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; };
  if (!std::ranges::all_of(method, is_letter)) return;
  const std::string_view rest = request.substr(space + 1);
  const size_t last = rest.rfind(' ');
  if (last == std::string_view::npos || !rest.substr(last + 1).starts_with("HTTP/")) return;
  access.method = method;
  access.target = rest.substr(0, last);
}

std::optional<HttpAccess> read_access_line(std::string_view line, LogTimeReader& times) {
  HttpAccess access;
  std::string_view rest = line;
  if (!take_client(rest, access)) return {};
  take_field(rest);  // ident
  if (!take_user_and_time(rest, access, times)) return {};
  const auto request = take_quoted(rest);
  if (!request || rest.size() < 4 || rest[0] != ' ') return {};
  read_request_line(*request, access);
  rest.remove_prefix(1);
  const std::string_view status = take_field(rest);
  if (status.size() != 3 || !std::ranges::all_of(status, is_digit)) return {};
  access.status = static_cast<uint16_t>((status[0] - '0') * 100 + two_digits(status.data() + 1));
  take_field(rest);  // bytes
  if (const auto referer = take_quoted(rest)) {
    access.referer = without_dash(*referer);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    if (const auto agent = take_quoted(rest)) access.agent = without_dash(*agent);
  }
  return access;
}

}  // namespace palang
