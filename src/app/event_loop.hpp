#pragma once

#include <event2/event.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"

namespace palang {

// libevent's loop with owned events: the thread that runs it owns all mutable state of the daemon.
class EventLoop {
 public:
  EventLoop() : base_(event_base_new()) {}

  [[nodiscard]] event_base* base() { return base_.get(); }
  void run() { event_base_dispatch(base_.get()); }
  // Ends run() after the callbacks at hand.
  void stop() { event_base_loopexit(base_.get(), nullptr); }

  using Call = std::function<void()>;
  event* on_readable(int fd, Call call);
  // Never happens again; for a descriptor that is to be closed while the loop goes on.
  void forget(const event* happening);
  void on_signal(int signal, Call call);
  void every(Duration interval, Call call);
  // An event that only trigger() makes happen, after those that wait already.
  [[nodiscard]] event* on_demand(Call call);
  static void trigger(event* happening) { event_active(happening, EV_TIMEOUT, 0); }

 private:
  struct FreeBase {
    void operator()(event_base* base) const { event_base_free(base); }
  };
  struct FreeEvent {
    void operator()(event* one) const { event_free(one); }
  };
  struct Registered {
    std::unique_ptr<Call> call;
    std::unique_ptr<event, FreeEvent> happening;
  };
  event* add(int fd, short what, const timeval* interval, Call call);

  std::unique_ptr<event_base, FreeBase> base_;
  std::vector<Registered> events_;  // goes before the base
};

}  // namespace palang
