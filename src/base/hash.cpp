#include "base/hash.hpp"

#include <sys/random.h>

#include <cstdlib>

namespace palang {

HashSeed HashSeed::random() {
  HashSeed seed;
  // Up to 256 bytes getrandom(2) neither blocks after boot nor returns less than asked.
  if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) std::abort();
  return seed;
}

}  // namespace palang
