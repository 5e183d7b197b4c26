#pragma once

#include <cstdlib>
#include <string_view>

#include "base/time.hpp"
#include "model/event.hpp"
#include "net/prefix.hpp"

// What tests are written with. A text that is none is a fault of the test: it aborts.
namespace palang::make {

inline Address address(std::string_view text) {
  const auto parsed = Address::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

inline Prefix prefix(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  if (!parsed) std::abort();
  return *parsed;
}

// "2025-01-12T00:30:41Z"
inline WallTime utc(std::string_view text) {
  const auto number = [&](size_t at, size_t length) {
    int value = 0;
    for (const char digit : text.substr(at, length)) value = value * 10 + (digit - '0');
    return value;
  };
  if (text.size() != 20) std::abort();
  const std::chrono::year_month_day day{std::chrono::year{number(0, 4)},
                                        std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                        std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  return std::chrono::sys_days{day} + std::chrono::hours{number(11, 2)} + std::chrono::minutes{number(14, 2)} +
         std::chrono::seconds{number(17, 2)};
}

// The day that the stories of the tests begin.
inline constexpr WallTime noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 12} + std::chrono::hours{12};

// A lone SYN to a closed port.
inline Event refused(const Address& source, WallTime at, uint16_t port = 8083) {
  Event event;
  event.at = at;
  event.source = source;
  event.port = port;
  event.protocol = Protocol::tcp;
  return event;
}
inline Event refused(std::string_view source, WallTime at, uint16_t port = 8083) {
  return refused(address(source), at, port);
}

}  // namespace palang::make
