#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace palang {

// Visits every occurrence of one byte in a text, 16 bytes at a time: for short fields that is several times faster
// than a memchr() each.
class ByteFinder {
 public:
  ByteFinder(std::string_view text, char wanted)
      : block_(text.data()), end_(text.data() + text.size()), wanted_(wanted), matches_(load()) {}

  // The next occurrence, or null.
  [[nodiscard]] const char* next() {
    while (matches_ == 0) {
      if (end_ - block_ <= width) return nullptr;
      block_ += width;
      matches_ = load();
    }
    const char* found = block_ + std::countr_zero(matches_);
    matches_ &= matches_ - 1;
    return found;
  }

 private:
  static constexpr int width = 16;

  // One bit per byte of the block that equals `wanted_`.
  [[nodiscard]] uint32_t load() const {
    char copy[width] = {};
    const char* from = block_;
    if (end_ - block_ < width) {
      std::memset(copy, wanted_ == 0 ? 1 : 0, sizeof copy);
      if (end_ > block_) std::memcpy(copy, block_, static_cast<size_t>(end_ - block_));
      from = copy;
    }
#ifdef __SSE2__
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted_))));
#else
    uint32_t bits = 0;
    for (int i = 0; i < width; ++i) bits |= static_cast<uint32_t>(from[i] == wanted_) << i;
    return bits;
#endif
  }

  const char* block_;
  const char* end_;
  char wanted_;
  uint32_t matches_;
};

}  // namespace palang
