#include "enforce/message_writer.hpp"

#include <arpa/inet.h>
#include <endian.h>

namespace palang {
namespace {

constexpr uint16_t attribute_header_bytes = sizeof(nlattr);

}  // namespace

void MessageWriter::begin(uint16_t type, uint16_t flags, uint32_t sequence) {
  message_at_ = buffer_.size();
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  header.nlmsg_seq = sequence;
  append(&header, sizeof header);
}

void MessageWriter::end() {
  const auto length = static_cast<uint32_t>(buffer_.size() - message_at_);
  std::memcpy(&buffer_[message_at_ + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
}

void MessageWriter::put(uint16_t attribute, std::span<const uint8_t> value) {
  const nlattr header{static_cast<uint16_t>(attribute_header_bytes + value.size()), attribute};
  append(&header, sizeof header);
  append(value.data(), value.size());
  buffer_.resize(NLMSG_ALIGN(buffer_.size()));
}

void MessageWriter::put_text(uint16_t attribute, std::string_view text) {
  const nlattr header{static_cast<uint16_t>(attribute_header_bytes + text.size() + 1), attribute};
  append(&header, sizeof header);
  append(text.data(), text.size());
  buffer_.push_back(0);
  buffer_.resize(NLMSG_ALIGN(buffer_.size()));
}

void MessageWriter::put_u32(uint16_t attribute, uint32_t value) {
  const uint32_t wire = htonl(value);
  const nlattr header{attribute_header_bytes + sizeof wire, attribute};
  append(&header, sizeof header);
  append(&wire, sizeof wire);
}

void MessageWriter::put_u64(uint16_t attribute, uint64_t value) {
  const uint64_t wire = htobe64(value);
  const nlattr header{attribute_header_bytes + sizeof wire, attribute};
  append(&header, sizeof header);
  append(&wire, sizeof wire);
}

MessageWriter::Nest MessageWriter::open(uint16_t attribute) {
  const Nest nest(buffer_.size());
  const nlattr header{0, static_cast<uint16_t>(attribute | NLA_F_NESTED)};
  append(&header, sizeof header);
  return nest;
}

void MessageWriter::close(Nest nest) {
  const auto length = static_cast<uint16_t>(size_of(nest));
  std::memcpy(&buffer_[nest.at_ + offsetof(nlattr, nla_len)], &length, sizeof length);
}

void MessageWriter::add_flags_to_last(uint16_t flags) {
  uint8_t* const at = &buffer_[message_at_ + offsetof(nlmsghdr, nlmsg_flags)];
  uint16_t all = 0;
  std::memcpy(&all, at, sizeof all);
  all = static_cast<uint16_t>(all | flags);
  std::memcpy(at, &all, sizeof all);
}

}  // namespace palang
