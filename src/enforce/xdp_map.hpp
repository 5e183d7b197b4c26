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
  // Address space for several maps side by side.
  [[nodiscard]] static Result<MappedMemory> reserve(size_t bytes);
  [[nodiscard]] Result<void> put(int map, size_t offset, size_t bytes);
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

// An array that names maps. The daemon may not open a map by the number that it finds in there (CAP_SYS_ADMIN), so each
// of those maps has a pin of its own.
struct MapSlot {
  int outer = -1;
  std::string pin;  // path in a BPF file system, to which the place is added; empty: nothing is pinned
};
// The map at this place; a null descriptor while there is none.
[[nodiscard]] Result<Fd> inner_map(const MapSlot& slot, uint32_t place = 0);
// Puts another in the first place. Returns when no packet is judged by the earlier one any more.
[[nodiscard]] Result<void> replace_inner_map(const MapSlot& slot, int inner);
// For places that nothing looks at: the pin without the map itself.
[[nodiscard]] Result<void> pin_inner_map(const MapSlot& slot, uint32_t place, int inner);
void unpin_inner_map(const MapSlot& slot, uint32_t place);

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
