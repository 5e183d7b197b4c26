#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// Hears of interfaces and routes that come, go or change (rtnetlink(7)); what they are now, all_interfaces() tells.
class LinkWatch {
 public:
  [[nodiscard]] static Result<LinkWatch> open();

  // Readable when drain() has something.
  [[nodiscard]] int fd() const { return socket_.get(); }
  // Reads what waits; it is only of interest that there was something.
  void drain();

 private:
  explicit LinkWatch(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace palang
