#include "base/hash.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace palang {

HashSeed HashSeed::random() {
  HashSeed seed;
  // Up to 256 bytes getrandom(2) neither blocks after boot nor returns less than asked.
  if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) std::abort();
  return seed;
}

uint64_t text_fingerprint(std::string_view text) {
  uint64_t hash = 0x9fb21c651e98df25 ^ text.size();
  while (!text.empty()) {
    uint64_t word = 0;
    const size_t taken = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), taken);
    text.remove_prefix(taken);
    hash = fold_multiply(hash ^ word, 0xc2b2ae3d27d4eb4f);
  }
  return fold_multiply(hash ^ 0xa0761d6478bd642f, 0x9e3779b97f4a7c15) >> 1;
}

}  // namespace palang
