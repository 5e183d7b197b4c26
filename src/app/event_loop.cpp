#include "app/event_loop.hpp"

namespace palang {

event* EventLoop::add(int fd, short what, const timeval* interval, Call call) {
  auto owned = std::make_unique<Call>(std::move(call));
  const auto dispatch = [](evutil_socket_t, short, void* argument) { (*static_cast<Call*>(argument))(); };
  event* happening = event_new(base_.get(), fd, what, dispatch, owned.get());
  if (interval != nullptr || fd >= 0) event_add(happening, interval);
  events_.push_back({std::move(owned), std::unique_ptr<event, FreeEvent>(happening)});
  return happening;
}

event* EventLoop::on_readable(int fd, Call call) {
  return add(fd, EV_READ | EV_PERSIST, nullptr, std::move(call));
}

void EventLoop::forget(const event* happening) {
  std::erase_if(events_, [&](const Registered& one) { return one.happening.get() == happening; });
}

void EventLoop::on_signal(int signal, Call call) {
  add(signal, EV_SIGNAL | EV_PERSIST, nullptr, std::move(call));
}

void EventLoop::every(Duration interval, Call call) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
  const timeval period{seconds.count(), (interval - seconds).count()};
  add(-1, EV_PERSIST, &period, std::move(call));
}

event* EventLoop::on_demand(Call call) {
  return add(-1, 0, nullptr, std::move(call));
}

}  // namespace palang
