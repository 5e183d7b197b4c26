#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// Memory shared with the kernel: an array map with BPF_F_MMAPABLE. Owns the mapping, not the descriptor.
class MappedMemory {
 public:
  [[nodiscard]] static Result<MappedMemory> of(int map, size_t bytes, const char* name);
  MappedMemory() = default;
  MappedMemory(MappedMemory&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedMemory();

  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(start_);
  }

 private:
  MappedMemory(void* start, size_t bytes) : start_(start), bytes_(bytes) {}
  void* start_ = nullptr;
  size_t bytes_ = 0;
};

// What a map is like, as the kernel says.
struct MapFacts {
  uint32_t entries = 0;  // at most
  uint32_t id = 0;
};
[[nodiscard]] Result<MapFacts> facts_of_map(int map);

// An array of maps of one element, which names the map of the moment. The daemon may not open a map by the number that
// it finds in there (CAP_SYS_ADMIN), so that map has pins of its own.
struct MapSlot {
  int outer = -1;
  std::string pin;  // path in a BPF file system, to which "_now" or "_next" is added; empty: nothing is pinned
};
// The map of the moment; a null descriptor while there is none.
[[nodiscard]] Result<Fd> inner_map(const MapSlot& slot);
// Puts another in its place. Returns when no packet is judged by the earlier one any more.
[[nodiscard]] Result<void> replace_inner_map(const MapSlot& slot, int inner);

struct MapShape {
  uint32_t type = 0;
  const char* name = "";
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t entries = 0;
  uint32_t flags = 0;
};
[[nodiscard]] Result<Fd> create_map(const MapShape& shape);

}  // namespace palang
