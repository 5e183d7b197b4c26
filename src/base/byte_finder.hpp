#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace palang {

// One bit for each of the 16 bytes at `block` that equals `wanted`, the first byte lowest.
[[nodiscard]] inline uint32_t matches_of_16(const char* block, char wanted) {
#ifdef __SSE2__
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; ++i) bits |= static_cast<uint32_t>(block[i] == wanted) << i;
  return bits;
#endif
}

// The same for 64 bytes.
[[nodiscard]] inline uint64_t matches_of_64(const char* block, char wanted) {
  const uint64_t low = matches_of_16(block, wanted) | matches_of_16(block + 16, wanted) << 16;
  const uint64_t high = matches_of_16(block + 32, wanted) | matches_of_16(block + 48, wanted) << 16;
  return high << 32 | low;
}

// As matches_of_16 for those that are decimal digits.
[[nodiscard]] inline uint32_t digits_of_16(const char* block) {
#ifdef __SSE2__
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  const __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
  const __m128i at_most_nine = _mm_min_epu8(values, _mm_set1_epi8(9));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(values, at_most_nine)));
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; ++i) bits |= static_cast<uint32_t>(block[i] >= '0' && block[i] <= '9') << i;
  return bits;
#endif
}

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

  [[nodiscard]] uint32_t load() const {
    if (end_ - block_ >= width) return matches_of_16(block_, wanted_);
    char copy[width];
    std::memset(copy, wanted_ == 0 ? 1 : 0, sizeof copy);
    if (end_ > block_) std::memcpy(copy, block_, static_cast<size_t>(end_ - block_));
    return matches_of_16(copy, wanted_);
  }

  const char* block_;
  const char* end_;
  char wanted_;
  uint32_t matches_;
};

}  // namespace palang
