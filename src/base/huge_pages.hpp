#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace palang {

// Large tables that are looked up at random are slow by the misses of the TLB, and grow slowly by page faults: they are
// offered to the kernel for huge pages (Documentation/admin-guide/mm/transhuge.rst), which it may decline.
inline constexpr size_t huge_page = size_t{2} << 20;

inline void offer_for_huge_pages(void* memory, size_t bytes) {
  ::madvise(memory, bytes, MADV_HUGEPAGE);
}

// For std::vector: memory of a huge page or more is aligned to huge pages and offered for them.
template <typename T>
struct HugePageAllocator {
  using value_type = T;

  HugePageAllocator() = default;
  template <typename Other>
  explicit HugePageAllocator(const HugePageAllocator<Other>&) {}

  [[nodiscard]] T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    const bool large = bytes >= huge_page;
    void* memory = ::operator new(bytes, std::align_val_t{large ? huge_page : alignof(T)});
    if (large) offer_for_huge_pages(memory, bytes);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) {
    ::operator delete(memory, std::align_val_t{count * sizeof(T) >= huge_page ? huge_page : alignof(T)});
  }

  friend bool operator==(const HugePageAllocator&, const HugePageAllocator&) { return true; }
};

}  // namespace palang
