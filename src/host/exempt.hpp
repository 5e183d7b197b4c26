#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/root.hpp"
#include "net/prefix.hpp"

namespace palang {

// Who is never banned without anyone saying so (promise 2).
struct Exempt {
  Prefix prefix;
  std::string why;  // "live ssh peer", "gateway, resolver", "own address", "loopback"
  [[nodiscard]] std::string text() const { return prefix.text() + " (" + why + ")"; }
  friend bool operator==(const Exempt&, const Exempt&) = default;
};

struct ExemptReport {
  std::vector<Exempt> exempt;         // ascending, each prefix once with all its reasons
  std::vector<std::string> troubles;  // what could not be asked, a sentence each; the rest holds
};

// Loopback, this host's own addresses, its gateways, its resolvers, and the admins who are logged in. Cheap enough for
// every few seconds: a pass over /proc and three netlink dumps.
[[nodiscard]] ExemptReport gather_exempt(const HostRoot& root);

// Puts entries of the same prefix together.
[[nodiscard]] std::vector<Exempt> merge_exempt(std::span<const Exempt> entries);

}  // namespace palang
