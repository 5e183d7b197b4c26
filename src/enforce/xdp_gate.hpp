#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/hash.hpp"
#include "bpf/abi.h"
#include "bpf/hash.h"
#include "enforce/xdp_map.hpp"
#include "net/prefix.hpp"

namespace palang {

// Bits that stand in front of the tables: where none is set there is no ban, and most packets end their search there.
// A bit too many costs time, a bit too few a ban; so they are only ever added, and tidied up now and then as a whole.
class XdpGate {
 public:
  struct Maps {
    int gate4 = -1;
    int wide4 = -1;
    int gate6 = -1;
  };
  [[nodiscard]] static Result<XdpGate> open(const Maps& maps, HashSeed seed);

  void add_single4(uint32_t address) { gate4_.add(address >> 8); }
  void add(const Prefix& prefix);
  // What the program itself banned.
  void add_fresh(const Address& address);

  // The bits as they should be, to be put in place as a whole.
  class Picture {
   public:
    void add_single4(uint32_t address);
    void add(const Prefix& prefix);

   private:
    friend XdpGate;
    explicit Picture(HashSeed seed);
    HashSeed seed_;
    std::vector<uint64_t> gate4_, wide4_, gate6_;
  };
  [[nodiscard]] Picture picture() const { return Picture(seed_); }
  // Takes away what is not in the picture. The program may have added bits since: add_fresh() all of its bans again.
  void reduce_to(const Picture& picture);

 private:
  // One bit per unit, in memory of the kernel's or ours.
  class Bits {
   public:
    explicit Bits(std::span<uint64_t> words) : words_(words) {}
    void add(uint32_t first, uint32_t last);
    void add(uint32_t bit) { add(bit, bit); }

   private:
    friend XdpGate;
    std::span<uint64_t> words_;
  };
  struct Sets {
    Bits gate4, wide4, gate6;
    HashSeed seed;
    void add(const Prefix& prefix);
  };

  XdpGate(MappedMemory gate4, MappedMemory wide4, MappedMemory gate6, HashSeed seed);

  MappedMemory memory4_, memory_wide4_, memory6_;
  Bits gate4_, wide4_, gate6_;
  HashSeed seed_;
};

}  // namespace palang
