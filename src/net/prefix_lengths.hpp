#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "net/prefix.hpp"

namespace palang {

// Which prefix lengths a collection uses: a search by address tries just those, the longest first. Families don't mix:
// ::/0 and other prefixes shorter than /96 around the v4-mapped range hold no IPv4 address here.
class PrefixLengths {
 public:
  void add(const Prefix& prefix) {
    if (counts(prefix)[prefix.bits()]++ == 0) rebuild();
  }
  void remove(const Prefix& prefix) {
    if (--counts(prefix)[prefix.bits()] == 0) rebuild();
  }
  void clear() { *this = PrefixLengths(); }

  // In bits of the 128-bit form, longest first.
  [[nodiscard]] const std::vector<uint8_t>& of(const Address& address) const { return address.is_v4() ? v4_ : v6_; }
  // Whether some longer length of the family of `wide` is in use, so that there may be prefixes inside it.
  [[nodiscard]] bool has_longer_than(const Prefix& wide) const {
    const auto& used = of(wide.address());
    return !used.empty() && used.front() > wide.bits();
  }

 private:
  using Counts = std::array<uint32_t, 129>;

  [[nodiscard]] Counts& counts(const Prefix& prefix) { return prefix.is_v4() ? counts_v4_ : counts_v6_; }

  void rebuild() {
    v4_.clear();
    v6_.clear();
    for (int bits = 128; bits >= 0; --bits) {
      if (counts_v4_[static_cast<size_t>(bits)] > 0) v4_.push_back(static_cast<uint8_t>(bits));
      if (counts_v6_[static_cast<size_t>(bits)] > 0) v6_.push_back(static_cast<uint8_t>(bits));
    }
  }

  Counts counts_v4_{};
  Counts counts_v6_{};
  std::vector<uint8_t> v4_;
  std::vector<uint8_t> v6_;
};

}  // namespace palang
