#ifndef PALANG_BPF_HASH_H
#define PALANG_BPF_HASH_H

// The seeded hashes that both the program and the daemon compute.
#include "bpf/abi.h"

#ifdef __cplusplus
#define PALANG_INLINE inline
#else
#define PALANG_INLINE static inline __attribute__((always_inline))
#endif

// Multiply-add with two secret words (odd a) is universal, so that nobody can aim at one bucket; the rest mixes the
// upper bits, which are good, into the lower.
PALANG_INLINE __u64 palang_hash(__u64 key, __u64 seed_a, __u64 seed_b) {
  __u64 hash = key * seed_a + seed_b;
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29;
}

PALANG_INLINE __u64 palang_hash_words(__u64 high, __u64 low, __u64 seed_a, __u64 seed_b) {
  return palang_hash(low ^ palang_hash(high, seed_a, seed_b), seed_a, seed_b);
}

// The second choice of a key whose first one came from `hash`.
PALANG_INLINE __u64 palang_second(__u64 hash) {
  return (hash ^ hash >> 31) * 0xbf58476d1ce4e5b9ULL;
}

PALANG_INLINE __u32 palang_page_of(__u64 hash, __u32 pages) {
  return (__u32)((hash >> 32) * pages >> 32);
}
PALANG_INLINE __u32 palang_bucket_of(__u64 hash) {
  return (__u32)((hash & 0xffff) * PALANG_BUCKETS >> 16);
}

// The bit of a /48 in the gate.
PALANG_INLINE __u32 palang_gate6_bit(__u64 high, __u64 seed_a, __u64 seed_b) {
  return (__u32)(palang_hash(high >> 16, seed_a, seed_b) >> 40) & (PALANG_GATE6_BYTES * 8 - 1);
}

#endif
