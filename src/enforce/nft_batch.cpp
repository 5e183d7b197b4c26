#include "enforce/nft_batch.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <optional>

#include "enforce/nft_parse.hpp"

namespace palang {
namespace {

constexpr int most_sends = 5;
constexpr int erestart = 85;  // the kernel's ERESTART, which user space headers lack a promise about

void write_boundary(MessageWriter& writer, uint16_t type, uint32_t sequence) {
  writer.begin(type, 0, sequence);
  writer.put_header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
  writer.end();
}

const nlmsghdr* find_message(std::span<const uint8_t> batch, uint32_t sequence) {
  int left = static_cast<int>(batch.size());
  const auto* message = reinterpret_cast<const nlmsghdr*>(batch.data());
  while (mnl_nlmsg_ok(message, left)) {
    if (message->nlmsg_seq == sequence) return message;
    message = mnl_nlmsg_next(message, &left);
  }
  return nullptr;
}

// The element that the kernel pointed at, or else the only one.
std::optional<Element> find_element(const nlmsghdr* message, const nlattr* list, uint32_t offset) {
  std::optional<Element> found;
  size_t entries = 0;
  for (const nlattr* entry : AttributesIn(list)) {
    ++entries;
    const auto at =
        static_cast<uint32_t>(reinterpret_cast<const uint8_t*>(entry) - reinterpret_cast<const uint8_t*>(message));
    const bool pointed_at = offset >= at && offset < at + mnl_attr_get_len(entry);
    if (!pointed_at && entries > 1) continue;
    if (const auto parsed = parse_element(entry)) found = Element{parsed->key, {}};
    if (pointed_at) return found;
  }
  return entries == 1 ? found : std::nullopt;
}

std::string describe_elements(const nlmsghdr* message, std::string_view verb, std::string_view preposition,
                              uint32_t offset) {
  const Attributes<NFTA_SET_ELEM_LIST_MAX> attributes(message);
  const std::string set(attributes.text(NFTA_SET_ELEM_LIST_SET));
  const auto name = SetName::parse(set);
  std::string what = "elements";
  if (name && attributes[NFTA_SET_ELEM_LIST_ELEMENTS] != nullptr) {
    const auto element = find_element(message, attributes[NFTA_SET_ELEM_LIST_ELEMENTS], offset);
    if (element) {
      what = name->holds_ports() ? "port " + std::to_string(element->key[0] << 8 | element->key[1])
                                 : element->prefix(*name).text();
    }
  }
  return std::string(verb) + " " + what + " " + std::string(preposition) + " nft set " + set;
}

// All messages carry their table in attribute 1 and most their own name in another.
std::string describe_message(const nlmsghdr* message, uint32_t offset) {
  switch (message->nlmsg_type & 0xff) {
    case NFT_MSG_NEWSETELEM: return describe_elements(message, "add", "to", offset);
    case NFT_MSG_DELSETELEM: return describe_elements(message, "remove", "from", offset);
    case NFT_MSG_NEWSET: return "create nft set " + std::string(Attributes<NFTA_SET_MAX>(message).text(NFTA_SET_NAME));
    case NFT_MSG_DELSET: return "delete nft set " + std::string(Attributes<NFTA_SET_MAX>(message).text(NFTA_SET_NAME));
    case NFT_MSG_NEWCHAIN:
      return "create nft chain " + std::string(Attributes<NFTA_CHAIN_MAX>(message).text(NFTA_CHAIN_NAME));
    case NFT_MSG_DELCHAIN:
      return "delete nft chain " + std::string(Attributes<NFTA_CHAIN_MAX>(message).text(NFTA_CHAIN_NAME));
    case NFT_MSG_NEWRULE:
      return "write a rule of nft chain " + std::string(Attributes<NFTA_RULE_MAX>(message).text(NFTA_RULE_CHAIN));
    case NFT_MSG_DELRULE: return "flush the rules of nft table inet palang";
    case NFT_MSG_NEWTABLE: return "create nft table inet palang";
    case NFT_MSG_DELTABLE: return "delete nft table inet palang";
    default: return "nftables transaction";
  }
}

}  // namespace

void begin_nft_message(MessageWriter& writer, uint16_t message, uint16_t flags, uint32_t sequence) {
  writer.begin(static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags, sequence);
  writer.put_header(nfgenmsg{NFPROTO_INET, NFNETLINK_V0, 0});
}

NftBatch::NftBatch(NetlinkSocket& socket)
    : socket_(socket), first_sequence_(socket.take_sequence()), last_sequence_(first_sequence_) {
  write_boundary(writer_, NFNL_MSG_BATCH_BEGIN, first_sequence_);
}

MessageWriter& NftBatch::begin(uint16_t message, uint16_t flags) {
  last_sequence_ = socket_.take_sequence();
  begin_nft_message(writer_, message, flags, last_sequence_);
  return writer_;
}

Result<void> NftBatch::commit() {
  if (last_sequence_ == first_sequence_) return {};
  // Only the last message asks for an acknowledgement, which comes after the whole has been committed.
  writer_.add_flags_to_last(NLM_F_ACK);
  write_boundary(writer_, NFNL_MSG_BATCH_END, socket_.take_sequence());
  for (int tries = 1;; ++tries) {
    auto result = send_once();
    if (result) return result;
    const int os = result.error().os;
    if (tries == most_sends || (os != EAGAIN && os != EINTR && os != erestart)) return result;
  }
}

Result<void> NftBatch::send_once() {
  socket_.discard_waiting();
  if (auto sent = socket_.send(writer_.bytes()); !sent)
    return fail_os("nftables transaction of", std::to_string(writer_.bytes().size()) + " bytes", sent.error().os);
  return read_answers();
}

Result<void> NftBatch::read_answers() {
  Result<void> result;
  bool acknowledged = false;
  bool lost = false;
  while (true) {
    const auto datagram = socket_.receive();
    if (!datagram && datagram.error().os == ENOBUFS) {
      lost = true;
      continue;
    }
    if (!datagram) return Failure(datagram.error());
    if (datagram->empty()) break;
    for (const MessageView answer : MessagesIn(*datagram)) {
      if (answer.header->nlmsg_type != NLMSG_ERROR) continue;
      const int os_error = refusal_of(answer);
      if (os_error == 0)
        acknowledged = true;
      else if (result)
        result = refused(answer.header->nlmsg_seq, os_error, answer.bytes());
    }
  }
  if (!result || acknowledged) return result;
  return fail_os("nftables transaction, answer", lost ? "lost" : "missing", lost ? ENOBUFS : EPROTO);
}

Failure NftBatch::refused(uint32_t sequence, int os_error, std::span<const uint8_t> answer) const {
  const nlmsghdr* const message = find_message(writer_.bytes(), sequence);
  if (message == nullptr || sequence == first_sequence_) return fail_os("nftables transaction", "", os_error);
  return fail_os(describe_message(message, bad_attribute_offset(answer)), "", os_error);
}

}  // namespace palang
