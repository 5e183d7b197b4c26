#include "enforce/xdp_gate.hpp"

#include <atomic>

namespace palang {
namespace {

constexpr size_t words4 = PALANG_GATE4_BYTES / sizeof(uint64_t);
constexpr size_t words6 = PALANG_GATE6_BYTES / sizeof(uint64_t);

std::span<uint64_t> words_of(const MappedMemory& memory, size_t count) {
  return {memory.as<uint64_t>(), count};
}

}  // namespace

Result<XdpGate> XdpGate::open(const Maps& maps, HashSeed seed) {
  auto gate4 = MappedMemory::of(maps.gate4, PALANG_GATE4_BYTES, "gate4");
  if (!gate4) return Failure(gate4.error());
  auto wide4 = MappedMemory::of(maps.wide4, PALANG_GATE4_BYTES, "wide4");
  if (!wide4) return Failure(wide4.error());
  auto gate6 = MappedMemory::of(maps.gate6, PALANG_GATE6_BYTES, "gate6");
  if (!gate6) return Failure(gate6.error());
  return XdpGate(std::move(*gate4), std::move(*wide4), std::move(*gate6), seed);
}

XdpGate::XdpGate(MappedMemory gate4, MappedMemory wide4, MappedMemory gate6, HashSeed seed)
    : memory4_(std::move(gate4)),
      memory_wide4_(std::move(wide4)),
      memory6_(std::move(gate6)),
      gate4_(words_of(memory4_, words4)),
      wide4_(words_of(memory_wide4_, words4)),
      gate6_(words_of(memory6_, words6)),
      seed_(seed) {}

void XdpGate::Bits::add(uint32_t first, uint32_t last) {
  for (uint32_t word = first / 64; word <= last / 64; ++word) {
    const uint32_t from = word == first / 64 ? first % 64 : 0;
    const uint32_t to = word == last / 64 ? last % 64 : 63;
    const uint64_t bits = ~uint64_t{0} << from & ~uint64_t{0} >> (63 - to);
    // The program adds bits, too. What is there already is left alone: the line stays shared between processors.
    const std::atomic_ref present(words_[word]);
    if ((present.load(std::memory_order_relaxed) & bits) != bits) present.fetch_or(bits);
  }
}

void XdpGate::Sets::add(const Prefix& prefix) {
  if (prefix.is_v4()) {
    const uint32_t first = prefix.address().v4_bits() >> 8;
    const uint32_t last = prefix.length() >= 24 ? first : first | ((1U << (24 - prefix.length())) - 1);
    wide4.add(first, last);
    gate4.add(first, last);
  } else if (prefix.length() >= PALANG_GATED_LENGTH6) {
    gate6.add(palang_gate6_bit(prefix.address().high(), seed.a | 1, seed.b));
  }
}

void XdpGate::add(const Prefix& prefix) {
  Sets{gate4_, wide4_, gate6_, seed_}.add(prefix);
}

void XdpGate::add_fresh(const Address& address) {
  add(Prefix::of(address));
}

XdpGate::Picture::Picture(HashSeed seed) : seed_(seed), gate4_(words4), wide4_(words4), gate6_(words6) {}

void XdpGate::Picture::add_single4(uint32_t address) {
  gate4_[address >> 14] |= uint64_t{1} << (address >> 8 & 63);
}

void XdpGate::Picture::add(const Prefix& prefix) {
  Sets{Bits(gate4_), Bits(wide4_), Bits(gate6_), seed_}.add(prefix);
}

void XdpGate::reduce_to(const Picture& picture) {
  const auto reduce = [](Bits& bits, const std::vector<uint64_t>& wanted) {
    for (size_t word = 0; word < wanted.size(); ++word) {
      const std::atomic_ref present(bits.words_[word]);
      if ((present.load(std::memory_order_relaxed) & ~wanted[word]) != 0) present.fetch_and(wanted[word]);
    }
  };
  reduce(gate4_, picture.gate4_);
  reduce(wide4_, picture.wide4_);
  reduce(gate6_, picture.gate6_);
}

}  // namespace palang
