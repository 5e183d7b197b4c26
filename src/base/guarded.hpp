#pragma once

#include <mutex>
#include <utility>

namespace palang {

// Data that two threads share lives inside its lock; the only way in is with(), which holds it.
template <typename T>
class Guarded {
 public:
  template <typename Use>
  decltype(auto) with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace palang
