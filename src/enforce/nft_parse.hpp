#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace palang {

// One netlink message within a datagram.
struct MessageView {
  const nlmsghdr* header;
  [[nodiscard]] std::span<const uint8_t> bytes() const {
    return {reinterpret_cast<const uint8_t*>(header), header->nlmsg_len};
  }
  [[nodiscard]] std::span<const uint8_t> payload() const {
    return {static_cast<const uint8_t*>(mnl_nlmsg_get_payload(header)), mnl_nlmsg_get_payload_len(header)};
  }
  [[nodiscard]] bool is_nft() const;  // of the nftables subsystem, with an nfgenmsg
  [[nodiscard]] uint16_t nft_type() const { return header->nlmsg_type & 0xff; }
  [[nodiscard]] uint8_t nft_family() const;  // NFPROTO_*
};

// The messages of a datagram, in order: for (const MessageView message : MessagesIn(datagram)).
class MessagesIn {
 public:
  explicit MessagesIn(std::span<const uint8_t> datagram) : datagram_(datagram) {}
  struct End {};
  class Iterator {
   public:
    Iterator(const nlmsghdr* at, int left) : at_(at), left_(left) {}
    [[nodiscard]] MessageView operator*() const { return {at_}; }
    Iterator& operator++() {
      at_ = mnl_nlmsg_next(at_, &left_);
      return *this;
    }
    friend bool operator==(const Iterator& iterator, End) { return !mnl_nlmsg_ok(iterator.at_, iterator.left_); }

   private:
    const nlmsghdr* at_;
    int left_;
  };
  [[nodiscard]] Iterator begin() const {
    return {reinterpret_cast<const nlmsghdr*>(datagram_.data()), static_cast<int>(datagram_.size())};
  }
  [[nodiscard]] End end() const { return {}; }

 private:
  std::span<const uint8_t> datagram_;
};

// The attributes in a row of them, in order: for (const nlattr* attribute : AttributesIn(bytes)).
class AttributesIn {
 public:
  explicit AttributesIn(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  explicit AttributesIn(const nlattr* nest)
      : bytes_(static_cast<const uint8_t*>(mnl_attr_get_payload(nest)), mnl_attr_get_payload_len(nest)) {}
  // Those of a netlink message behind its own header of `header_bytes`.
  AttributesIn(const nlmsghdr* message, size_t header_bytes) : bytes_(MessageView{message}.payload()) {
    bytes_ = bytes_.subspan(std::min(bytes_.size(), static_cast<size_t>(NLMSG_ALIGN(header_bytes))));
  }
  struct End {};
  class Iterator {
   public:
    explicit Iterator(std::span<const uint8_t> left) : left_(left) {}
    [[nodiscard]] const nlattr* operator*() const { return reinterpret_cast<const nlattr*>(left_.data()); }
    Iterator& operator++() {
      left_ = left_.subspan(std::min(left_.size(), static_cast<size_t>(NLA_ALIGN((**this)->nla_len))));
      return *this;
    }
    friend bool operator==(const Iterator& iterator, End) {
      return !mnl_attr_ok(*iterator, static_cast<int>(iterator.left_.size()));
    }

   private:
    std::span<const uint8_t> left_;
  };
  [[nodiscard]] Iterator begin() const { return Iterator(bytes_); }
  [[nodiscard]] End end() const { return {}; }

 private:
  std::span<const uint8_t> bytes_;
};

// The attributes of one message or nest by number; absent ones are null. Numbers above Max are skipped.
template <size_t Max>
class Attributes {
 public:
  explicit Attributes(const nlmsghdr* nft_message) {
    for (const nlattr* attribute : AttributesIn(nft_message, nfgen_bytes)) take(attribute);
  }
  explicit Attributes(const nlattr* nest) {
    if (nest == nullptr) return;
    for (const nlattr* attribute : AttributesIn(nest)) take(attribute);
  }

  [[nodiscard]] const nlattr* operator[](size_t number) const { return found_[number]; }
  [[nodiscard]] std::string_view text(size_t number) const;
  [[nodiscard]] std::span<const uint8_t> data(size_t number) const {
    const nlattr* const attribute = found_[number];
    if (attribute == nullptr) return {};
    return {static_cast<const uint8_t*>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute)};
  }
  // Numbers in network order; none where absent or of another size.
  [[nodiscard]] std::optional<uint32_t> u32(size_t number) const;
  [[nodiscard]] std::optional<uint64_t> u64(size_t number) const;

 private:
  static constexpr size_t nfgen_bytes = 4;
  void take(const nlattr* attribute) {
    const uint16_t number = mnl_attr_get_type(attribute);
    if (number <= Max) found_[number] = attribute;
  }
  std::array<const nlattr*, Max + 1> found_{};
};

template <typename Number>
[[nodiscard]] std::optional<Number> read_network_order(std::span<const uint8_t> data) {
  if (data.size() != sizeof(Number)) return std::nullopt;
  Number number = 0;
  for (const uint8_t byte : data) number = static_cast<Number>(number << 8) | byte;
  return number;
}

template <size_t Max>
std::string_view Attributes<Max>::text(size_t number) const {
  const auto bytes = data(number);
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return all.substr(0, all.find('\0'));
}
template <size_t Max>
std::optional<uint32_t> Attributes<Max>::u32(size_t number) const {
  return read_network_order<uint32_t>(data(number));
}
template <size_t Max>
std::optional<uint64_t> Attributes<Max>::u64(size_t number) const {
  return read_network_order<uint64_t>(data(number));
}

// A set element as the kernel tells it.
struct ParsedElement {
  std::array<uint8_t, 16> key{};
  std::optional<uint64_t> remaining_ms;  // none: without end
  std::optional<uint64_t> packets;       // none: without a counter
};

// Of one NFTA_LIST_ELEM.
[[nodiscard]] std::optional<ParsedElement> parse_element(const nlattr* entry);

// errno of an error message; 0 for other messages and for acknowledgements.
[[nodiscard]] int refusal_of(MessageView message);

// NLMSGERR_ATTR_OFFS of an NLMSG_ERROR that answers with NETLINK_CAP_ACK; 0 where there is none.
[[nodiscard]] uint32_t bad_attribute_offset(std::span<const uint8_t> answer);

}  // namespace palang
