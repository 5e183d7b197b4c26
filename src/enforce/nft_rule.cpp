#include "enforce/nft_rule.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

namespace palang {
namespace {

MessageWriter& begin_rule(NftBatch& batch, std::string_view chain) {
  MessageWriter& writer = batch.begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  writer.put_text(NFTA_RULE_TABLE, table_name);
  writer.put_text(NFTA_RULE_CHAIN, chain);
  return writer;
}

}  // namespace

NftRule::NftRule(NftBatch& batch, std::string_view chain)
    : writer_(begin_rule(batch, chain)), expressions_(writer_.open(NFTA_RULE_EXPRESSIONS)) {}

NftRule::Expression NftRule::open(std::string_view name) {
  const auto element = writer_.open(NFTA_LIST_ELEM);
  writer_.put_text(NFTA_EXPR_NAME, name);
  return {element, writer_.open(NFTA_EXPR_DATA)};
}

void NftRule::close(Expression expression) {
  writer_.close(expression.data);
  writer_.close(expression.element);
}

void NftRule::put_data(uint16_t attribute, std::span<const uint8_t> value) {
  const auto nest = writer_.open(attribute);
  writer_.put(NFTA_DATA_VALUE, value);
  writer_.close(nest);
}

NftRule& NftRule::load_meta(uint32_t key) {
  const Expression expression = open("meta");
  writer_.put_u32(NFTA_META_KEY, key);
  writer_.put_u32(NFTA_META_DREG, NFT_REG_1);
  close(expression);
  return *this;
}

NftRule& NftRule::load_ct(uint32_t key) {
  const Expression expression = open("ct");
  writer_.put_u32(NFTA_CT_KEY, key);
  writer_.put_u32(NFTA_CT_DREG, NFT_REG_1);
  close(expression);
  return *this;
}

NftRule& NftRule::load_payload(uint32_t base, uint32_t offset, uint32_t size) {
  const Expression expression = open("payload");
  writer_.put_u32(NFTA_PAYLOAD_DREG, NFT_REG_1);
  writer_.put_u32(NFTA_PAYLOAD_BASE, base);
  writer_.put_u32(NFTA_PAYLOAD_OFFSET, offset);
  writer_.put_u32(NFTA_PAYLOAD_LEN, size);
  close(expression);
  return *this;
}

NftRule& NftRule::keep_bits(std::span<const uint8_t> mask) {
  static constexpr std::array<uint8_t, 16> zero{};
  const Expression expression = open("bitwise");
  writer_.put_u32(NFTA_BITWISE_SREG, NFT_REG_1);
  writer_.put_u32(NFTA_BITWISE_DREG, NFT_REG_1);
  writer_.put_u32(NFTA_BITWISE_LEN, static_cast<uint32_t>(mask.size()));
  put_data(NFTA_BITWISE_MASK, mask);
  put_data(NFTA_BITWISE_XOR, std::span(zero).first(mask.size()));
  close(expression);
  return *this;
}

NftRule& NftRule::must_be(uint32_t comparison, std::span<const uint8_t> value) {
  const Expression expression = open("cmp");
  writer_.put_u32(NFTA_CMP_SREG, NFT_REG_1);
  writer_.put_u32(NFTA_CMP_OP, comparison);
  put_data(NFTA_CMP_DATA, value);
  close(expression);
  return *this;
}

NftRule& NftRule::must_be(uint8_t value) {
  return must_be(NFT_CMP_EQ, std::span(&value, 1));
}

NftRule& NftRule::must_be_in(std::string_view set) {
  const Expression expression = open("lookup");
  writer_.put_text(NFTA_LOOKUP_SET, set);
  writer_.put_u32(NFTA_LOOKUP_SREG, NFT_REG_1);
  close(expression);
  return *this;
}

void NftRule::accept() {
  finish(NF_ACCEPT);
}

void NftRule::drop() {
  finish(NF_DROP);
}

void NftRule::finish(uint32_t verdict) {
  const Expression expression = open("immediate");
  writer_.put_u32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  const auto data = writer_.open(NFTA_IMMEDIATE_DATA);
  const auto code = writer_.open(NFTA_DATA_VERDICT);
  writer_.put_u32(NFTA_VERDICT_CODE, verdict);
  writer_.close(code);
  writer_.close(data);
  close(expression);
  writer_.close(expressions_);
  writer_.end();
}

}  // namespace palang
