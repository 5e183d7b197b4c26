#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace palang {

// Writes netlink messages one behind the other into one growing buffer. Numbers of attributes are in network order,
// as nftables wants them.
class MessageWriter {
 public:
  void begin(uint16_t type, uint16_t flags, uint32_t sequence);
  // The fixed header behind nlmsghdr (nfgenmsg, inet_diag_req_v2).
  template <typename Header>
  void put_header(const Header& header) {
    static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) % NLMSG_ALIGNTO == 0);
    append(&header, sizeof header);
  }
  void end();

  void put(uint16_t attribute, std::span<const uint8_t> value);
  void put_text(uint16_t attribute, std::string_view text);  // with a NUL behind it
  void put_u32(uint16_t attribute, uint32_t value);
  void put_u64(uint16_t attribute, uint64_t value);

  class Nest {
    friend class MessageWriter;
    explicit Nest(size_t at) : at_(at) {}
    size_t at_;
  };
  [[nodiscard]] Nest open(uint16_t attribute);
  void close(Nest nest);
  [[nodiscard]] size_t size_of(Nest nest) const { return buffer_.size() - nest.at_; }

  void append(const void* data, size_t size) {
    const auto* const bytes = static_cast<const uint8_t*>(data);
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }
  void add_flags_to_last(uint16_t flags);
  void clear() { buffer_.clear(); }
  void reserve(size_t bytes) { buffer_.reserve(bytes); }
  [[nodiscard]] std::span<const uint8_t> bytes() const { return buffer_; }

 private:
  std::vector<uint8_t> buffer_;
  size_t message_at_ = 0;
};

}  // namespace palang
