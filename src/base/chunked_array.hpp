#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/huge_pages.hpp"

namespace palang {

// An array that grows at its end without moving what it holds: no copy, no second touch of its memory, and references
// stay valid until clear().
template <typename T>
class ChunkedArray {
 public:
  ChunkedArray() = default;
  ChunkedArray(ChunkedArray&& other) noexcept
      : chunks_(std::move(other.chunks_)), size_(std::exchange(other.size_, 0)) {}
  ChunkedArray& operator=(ChunkedArray&& other) noexcept {
    clear();
    chunks_ = std::move(other.chunks_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~ChunkedArray() { clear(); }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] T& operator[](size_t i) { return chunks_[i / chunk][i % chunk]; }
  [[nodiscard]] const T& operator[](size_t i) const { return chunks_[i / chunk][i % chunk]; }

  void push_back(T value) {
    if (size_ == chunks_.size() * chunk) chunks_.push_back(Memory(allocate()));
    new (&(*this)[size_]) T(std::move(value));
    ++size_;
  }

  void clear() {
    for (size_t i = 0; i < size_; ++i) (*this)[i].~T();
    chunks_.clear();
    size_ = 0;
  }

 private:
  static constexpr size_t chunk = std::bit_floor(huge_page / sizeof(T));  // elements

  struct Release {
    void operator()(T* memory) const { ::operator delete(memory, std::align_val_t{huge_page}); }
  };
  using Memory = std::unique_ptr<T[], Release>;  // of elements that are constructed up to size_ only

  // Only what is larger than one chunk gets huge pages; small arrays must not take 2 MiB each.
  [[nodiscard]] T* allocate() const {
    void* memory = ::operator new(huge_page, std::align_val_t{huge_page});
    if (!chunks_.empty()) offer_for_huge_pages(memory, huge_page);
    return static_cast<T*>(memory);
  }

  std::vector<Memory> chunks_;
  size_t size_ = 0;
};

}  // namespace palang
