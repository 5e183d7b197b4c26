#include "parse/modsec_json.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "net/address_text.hpp"
#include "parse/error_log.hpp"
#include "parse/http_access.hpp"

namespace palang {
namespace {

constexpr size_t longest_text = 2048;  // of a field that is kept
constexpr size_t longest_message = 8192;

bool equal_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

// What one line says, as nlohmann's parser calls it, event by event.
struct ModsecReader::Transaction {
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  static constexpr size_t deepest = 16;

  WafHit hit;
  std::string client;
  std::string time;
  std::string method;
  std::string target;
  std::string request_line;
  std::string host;
  std::string agent;
  std::string referer;
  std::array<std::string, deepest> path;  // the keys that lead to the present value; "" within a list
  size_t depth = 0;
  bool broken = false;

  void reset() {
    hit = {};
    for (std::string* text : {&client, &time, &method, &target, &request_line, &host, &agent, &referer}) text->clear();
    depth = 0;
    broken = false;
  }

  // "transaction.request.uri"
  [[nodiscard]] bool at(std::initializer_list<std::string_view> keys) const {
    return depth == keys.size() && std::equal(keys.begin(), keys.end(), path.begin());
  }
  // Whether the keys lead here, the last one in any case.
  [[nodiscard]] bool at_header(std::string_view name) const {
    const bool v2 = depth == 3 && path[0] == "request" && path[1] == "headers";
    const bool v3 = depth == 4 && path[0] == "transaction" && path[1] == "request" && path[2] == "headers";
    return (v2 || v3) && equal_but_case(path[depth - 1], name);
  }

  bool key(string_t& name) {
    if (depth > 0 && depth <= deepest) path[depth - 1] = name.substr(0, 64);
    return true;
  }
  bool start_object(std::size_t) { return enter(); }
  bool start_array(std::size_t) { return enter(); }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }
  bool enter() {
    if (++depth > deepest) return false;
    path[depth - 1].clear();
    return true;
  }
  bool leave() {
    --depth;
    return true;
  }

  bool string(string_t& text) {
    const auto keep = [&](std::string& to) {
      if (to.empty()) to.assign(text, 0, longest_text);
    };
    if (at({"transaction", "client_ip"}) || at({"transaction", "remote_address"}))
      keep(client);
    else if (at({"transaction", "time_stamp"}) || at({"transaction", "time"}))
      keep(time);
    else if (at({"transaction", "request", "method"}))
      keep(method);
    else if (at({"transaction", "request", "uri"}))
      keep(target);
    else if (at({"request", "request_line"}))
      keep(request_line);
    else if (at_header("host"))
      keep(host);
    else if (at_header("user-agent"))
      keep(agent);
    else if (at_header("referer"))
      keep(referer);
    else if (at({"transaction", "messages", "", "details", "ruleId"}))
      note_waf_rule(text, hit);
    else if (at({"transaction", "messages", "", "details", "severity"}))
      note_waf_severity(text, hit);
    else if (at({"audit_data", "messages", ""}))
      note_message(text);
    return true;
  }

  void note_message(std::string_view text) {
    text = text.substr(0, longest_message);
    hit.blocked |= text.starts_with("Access denied");
    note_waf_tags(text, hit);
  }

  bool number_unsigned(number_unsigned_t number) {
    const bool status = at({"transaction", "response", "http_code"}) || at({"response", "status"});
    if (status && number < 1000) hit.request.status = static_cast<uint16_t>(number);
    return true;
  }
  bool number_integer(number_integer_t) { return true; }
  bool number_float(number_float_t, const string_t&) { return true; }
  bool binary(binary_t&) { return true; }
  bool null() { return true; }
  bool boolean(bool value) {
    hit.blocked |= value && at({"audit_data", "action", "intercepted"});
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    broken = true;
    return false;
  }
};

ModsecReader::ModsecReader() : transaction_(std::make_unique<Transaction>()) {}
ModsecReader::~ModsecReader() = default;
ModsecReader::ModsecReader(ModsecReader&&) noexcept = default;
ModsecReader& ModsecReader::operator=(ModsecReader&&) noexcept = default;

std::optional<WafHit> ModsecReader::read(std::string_view line, LogTimeReader& times, WallTime newest) {
  if (!line.starts_with('{')) return {};
  Transaction& found = *transaction_;
  found.reset();
  nlohmann::json::sax_parse(line.begin(), line.end(), &found);
  const auto client = read_address(found.client);
  if (!client) return {};
  WafHit hit = found.hit;
  HttpAccess& request = hit.request;
  request.client = *client;
  const auto stamp = times.leading(found.time, newest);
  request.at = stamp ? stamp->at : newest;
  if (found.request_line.empty()) {
    request.method = found.method;
    request.target = found.target;
  } else {
    read_request_line(found.request_line, request);
  }
  request.host = found.host;
  request.agent = found.agent;
  request.referer = found.referer;
  // Version 3 doesn't say whether it interrupted: the answer does.
  if (request.status == 403) hit.blocked = true;
  return hit;
}

}  // namespace palang
