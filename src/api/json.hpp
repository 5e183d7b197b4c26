#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "model/command.hpp"

namespace palang {

// The public contract of the API (docs/api.md): compact JSON in pure ASCII, so that text of an attacker inside it
// can't steer a terminal. Times are RFC 3339 in UTC; what is unknown, absent or without end is null.

[[nodiscard]] std::string reply_json(const Reply& reply);
[[nodiscard]] std::string error_json(const Error& error);
[[nodiscard]] std::string change_json(const Change& change);  // one record of the watch stream
[[nodiscard]] std::string dropped_json(uint64_t changes);     // the record that stands for dropped ones

// A list of bans in pieces of about 64 KiB, which together are reply_json() of it.
class BansPages {
 public:
  explicit BansPages(BansReply bans) : reply_(std::move(bans)) {}
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::string next();

 private:
  BansReply reply_;
  size_t at_ = 0;
  bool done_ = false;
};

}  // namespace palang
