#pragma once

#include <cstdint>
#include <string_view>

namespace palang {

// Two secret words that key every hash over data of strangers (promise 5: an attacker can't aim at one bucket).
struct HashSeed {
  uint64_t a = 0x9e3779b97f4a7c15;
  uint64_t b = 0xc2b2ae3d27d4eb4f;

  // From the kernel's random numbers. The default-constructed seed is fixed, for replays and tests.
  [[nodiscard]] static HashSeed random();
};

// Folded 64×64→128 bit multiplication, the mixing step of wyhash (Wang Yi, public domain).
[[nodiscard]] inline uint64_t fold_multiply(uint64_t x, uint64_t y) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(x) * y;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

[[nodiscard]] inline uint64_t hash_words(HashSeed seed, uint64_t x, uint64_t y) {
  return fold_multiply(fold_multiply(x ^ seed.a, y ^ seed.b), seed.a ^ 0xa0761d6478bd642f);
}

// A fingerprint of text that is the same in every process, so that it may be stored; below 2^63. Strangers can make
// two texts of one fingerprint: it may only tell texts apart, never be a table's hash.
[[nodiscard]] uint64_t text_fingerprint(std::string_view text);

}  // namespace palang
