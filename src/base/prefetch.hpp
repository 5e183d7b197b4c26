#pragma once

namespace palang {

// Starts to load the cache line at `address`. The empty asm keeps GCC from taking a function that does nothing else
// for pure, and from dropping its calls.
inline void prefetch(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

}  // namespace palang
