#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace palang {

// The bytes of a file from its beginning, decompressed where it is an archive.
class ByteReader {
 public:
  virtual ~ByteReader() = default;

  // Up to into.size() bytes; 0 is the end. All bytes before a damage are delivered before its error, which names the
  // file and the byte in it, and is final.
  [[nodiscard]] virtual Result<size_t> read(std::span<char> into) = 0;

  // How much of the file itself (compressed, where it is) has been read.
  [[nodiscard]] virtual uint64_t consumed() const = 0;
  [[nodiscard]] virtual bool is_archive() const = 0;
};

// Reads from where `fd` stands. The first bytes, not the name, tell gzip (RFC 1952, also of several members) and xz
// (also concatenated) from plain text. `name` is for errors.
[[nodiscard]] Result<std::unique_ptr<ByteReader>> open_byte_reader(Fd fd, std::string name);

// read(2), again after EINTR.
[[nodiscard]] Result<size_t> read_some(int fd, std::span<char> into, const std::string& name);

}  // namespace palang
