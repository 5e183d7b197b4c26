#include "enforce/nft_parse.hpp"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>

namespace palang {

bool MessageView::is_nft() const {
  return header->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && payload().size() >= sizeof(nfgenmsg);
}

uint8_t MessageView::nft_family() const {
  return reinterpret_cast<const nfgenmsg*>(payload().data())->nfgen_family;
}

std::optional<ParsedElement> parse_element(const nlattr* entry) {
  const Attributes<NFTA_SET_ELEM_MAX> attributes(entry);
  const Attributes<NFTA_DATA_MAX> data(attributes[NFTA_SET_ELEM_KEY]);
  const auto key = data.data(NFTA_DATA_VALUE);
  ParsedElement element;
  if (key.empty() || key.size() > element.key.size()) return std::nullopt;
  std::ranges::copy(key, element.key.begin());
  element.remaining_ms = attributes.u64(NFTA_SET_ELEM_EXPIRATION);
  const Attributes<NFTA_EXPR_MAX> expression(attributes[NFTA_SET_ELEM_EXPR]);
  if (expression.text(NFTA_EXPR_NAME) == "counter") {
    const Attributes<NFTA_COUNTER_MAX> counter(expression[NFTA_EXPR_DATA]);
    element.packets = counter.u64(NFTA_COUNTER_PACKETS);
  }
  return element;
}

int refusal_of(MessageView message) {
  if (message.header->nlmsg_type != NLMSG_ERROR) return 0;
  if (message.payload().size() < sizeof(nlmsgerr)) return EPROTO;
  return -reinterpret_cast<const nlmsgerr*>(message.payload().data())->error;
}

uint32_t bad_attribute_offset(std::span<const uint8_t> answer) {
  const auto* const header = reinterpret_cast<const nlmsghdr*>(answer.data());
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return 0;
  for (const nlattr* attribute : AttributesIn(header, sizeof(nlmsgerr))) {
    if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_OFFS && mnl_attr_get_payload_len(attribute) == sizeof(uint32_t))
      return mnl_attr_get_u32(attribute);
  }
  return 0;
}

}  // namespace palang
