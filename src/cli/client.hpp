#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace palang {

inline constexpr std::string_view default_socket = "/run/palang/palang.sock";

// The path and query of a request, with its values percent-encoded: Target("/v1/why").add("address", "2001:db8::1").
class Target {
 public:
  explicit Target(std::string_view path) : text_(path) {}
  Target& add(std::string_view name, std::string_view value);
  // Nothing for an empty value.
  Target& add_if_given(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  char separator_ = '?';
};

struct ApiRequest {
  std::string method;  // "GET", "POST", "DELETE"
  Target target;
  std::string body;  // JSON; POST only
};

// Speaks HTTP with the daemon over its unix socket, and with nobody else: no proxy, no redirect.
class ApiClient {
 public:
  explicit ApiClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // Called with each piece of a reply of status 200.
  using Sink = std::function<void(std::string_view)>;

  enum class Patience { usual, endless };  // usual: gives up after two minutes without a byte
  // Errors: the daemon's own, with its kind; a fault with advice where it can't be reached.
  [[nodiscard]] Result<void> stream(const ApiRequest& request, const Sink& sink, Patience patience) const;
  // The whole reply.
  [[nodiscard]] Result<std::string> fetch(const ApiRequest& request) const;

 private:
  [[nodiscard]] Error unreachable(int os_error, std::string_view cause) const;

  std::string socket_path_;
};

}  // namespace palang
