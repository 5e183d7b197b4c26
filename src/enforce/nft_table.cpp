#include "enforce/nft_table.hpp"

#include <arpa/inet.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>

#include "enforce/nft_rule.hpp"

namespace palang {
namespace {

// After connection tracking (-200), which knows replies; before destination NAT (-100), which hides the port.
constexpr int32_t gate_priority = -190;
constexpr ChainPlace gate_full{"gate_full", NF_INET_PRE_ROUTING, gate_priority};
constexpr ChainPlace gate_quiet{"gate_quiet", NF_INET_LOCAL_IN, gate_priority};

// nft's numbers for types of keys, by which `nft list` prints them; the kernel only stores them.
enum KeyType : uint8_t { ipv4_addr = 7, ipv6_addr = 8, inet_service = 13 };

constexpr uint32_t loopback_index = 1;  // LOOPBACK_IFINDEX: the same in every network namespace
constexpr uint8_t first_neighbour_type = 133, last_neighbour_type = 137;  // ICMPv6, RFC 4861 §4

KeyType key_type(const SetName& set) {
  if (set.holds_ports()) return inet_service;
  return set.v4 ? ipv4_addr : ipv6_addr;
}

template <typename Number>
std::array<uint8_t, sizeof(Number)> memory_of(Number number) {
  std::array<uint8_t, sizeof(Number)> bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::vector<uint8_t> mask_of(const SetName& set) {
  std::vector<uint8_t> mask(set.key_size(), 0);
  for (unsigned bit = 0; bit < set.length; ++bit) mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | 0x80 >> bit % 8);
  return mask;
}

// What passes before any ban is looked at. A reply belongs to a connection that this host (or one behind it) opened;
// what an offender opened is in the original direction and is cut. Neighbour discovery keeps a neighbour on the link.
void put_exemptions(NftBatch& batch, std::string_view chain) {
  NftRule(batch, chain).load_ct(NFT_CT_DIRECTION).must_be(IP_CT_DIR_REPLY).accept();
  NftRule(batch, chain).load_meta(NFT_META_IIF).must_be(NFT_CMP_EQ, memory_of(loopback_index)).accept();
  NftRule(batch, chain)
      .load_meta(NFT_META_NFPROTO)
      .must_be(NFPROTO_IPV6)
      .load_meta(NFT_META_L4PROTO)
      .must_be(IPPROTO_ICMPV6)
      .load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1)
      .must_be(NFT_CMP_GTE, memory_of(first_neighbour_type))
      .must_be(NFT_CMP_LTE, memory_of(last_neighbour_type))
      .accept();
}

void put_source_rules(NftBatch& batch, std::string_view chain, std::span<const SetName> sets, Role role) {
  constexpr uint32_t v4_source_at = 12, v6_source_at = 8;  // bytes into the network header
  for (const SetName& set : sets) {
    if (set.role != role) continue;
    NftRule rule(batch, chain);
    rule.load_meta(NFT_META_NFPROTO).must_be(set.v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    rule.load_payload(NFT_PAYLOAD_NETWORK_HEADER, set.v4 ? v4_source_at : v6_source_at, set.key_size());
    if (set.length < set.key_size() * 8) rule.keep_bits(mask_of(set));
    rule.must_be_in(set.text());
    role == Role::allow ? rule.accept() : rule.drop();
  }
}

void put_open_ports_rule(NftBatch& batch, std::string_view chain, std::span<const SetName> sets, Role role) {
  const auto set = std::ranges::find(sets, role, &SetName::role);
  if (set == sets.end()) return;
  NftRule(batch, chain)
      .load_meta(NFT_META_L4PROTO)
      .must_be(role == Role::open_tcp ? IPPROTO_TCP : IPPROTO_UDP)
      .load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2)
      .must_be_in(set->text())
      .accept();
}

}  // namespace

std::span<const ChainPlace> gate_chains() {
  static constexpr std::array chains{gate_full, gate_quiet};
  return chains;
}

void put_table(NftBatch& batch) {
  MessageWriter& writer = batch.begin(NFT_MSG_NEWTABLE, NLM_F_CREATE);
  writer.put_text(NFTA_TABLE_NAME, table_name);
  writer.put_u32(NFTA_TABLE_FLAGS, 0);
  writer.end();
}

void put_table_removal(NftBatch& batch) {
  MessageWriter& writer = batch.begin(NFT_MSG_DELTABLE, NLM_F_NONREC);
  writer.put_text(NFTA_TABLE_NAME, table_name);
  writer.end();
}

void put_chain(NftBatch& batch, const ChainPlace& chain) {
  MessageWriter& writer = batch.begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
  writer.put_text(NFTA_CHAIN_TABLE, table_name);
  writer.put_text(NFTA_CHAIN_NAME, chain.name);
  const auto hook = writer.open(NFTA_CHAIN_HOOK);
  writer.put_u32(NFTA_HOOK_HOOKNUM, chain.hook);
  writer.put_u32(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(chain.priority));
  writer.close(hook);
  writer.put_u32(NFTA_CHAIN_POLICY, NF_ACCEPT);
  writer.put_text(NFTA_CHAIN_TYPE, "filter");
  writer.end();
}

SetShape shape_of(const SetName& set) {
  // Ports need no timeout; asking for it selects the hash, where the set for 2-byte keys takes quadratic time to fill.
  return {set.key_size(), NFT_SET_TIMEOUT, set.holds_bans()};
}

void put_set(NftBatch& batch, const SetName& set) {
  const SetShape shape = shape_of(set);
  MessageWriter& writer = batch.begin(NFT_MSG_NEWSET, NLM_F_CREATE);
  writer.put_text(NFTA_SET_TABLE, table_name);
  writer.put_text(NFTA_SET_NAME, set.text());
  writer.put_u32(NFTA_SET_FLAGS, shape.flags);
  writer.put_u32(NFTA_SET_KEY_TYPE, key_type(set));
  writer.put_u32(NFTA_SET_KEY_LEN, shape.key_size);
  writer.put_u32(NFTA_SET_ID, 1);  // the kernel insists on one; we refer to sets by name
  if (shape.counts) {
    const auto expression = writer.open(NFTA_SET_EXPR);
    writer.put_text(NFTA_EXPR_NAME, "counter");
    writer.close(writer.open(NFTA_EXPR_DATA));
    writer.close(expression);
  }
  writer.end();
}

void put_set_removal(NftBatch& batch, std::string_view set) {
  MessageWriter& writer = batch.begin(NFT_MSG_DELSET);
  writer.put_text(NFTA_SET_TABLE, table_name);
  writer.put_text(NFTA_SET_NAME, set);
  writer.end();
}

void put_chain_removal(NftBatch& batch, std::string_view chain) {
  MessageWriter& writer = batch.begin(NFT_MSG_DELCHAIN);
  writer.put_text(NFTA_CHAIN_TABLE, table_name);
  writer.put_text(NFTA_CHAIN_NAME, chain);
  writer.end();
}

void put_rules_removal(NftBatch& batch, std::string_view chain) {
  MessageWriter& writer = batch.begin(NFT_MSG_DELRULE);
  writer.put_text(NFTA_RULE_TABLE, table_name);
  writer.put_text(NFTA_RULE_CHAIN, chain);
  writer.end();
}

void put_rules(NftBatch& batch, std::span<const SetName> sets) {
  for (const ChainPlace& chain : gate_chains()) put_rules_removal(batch, chain.name);

  put_exemptions(batch, gate_full.name);
  put_source_rules(batch, gate_full.name, sets, Role::allow);
  put_source_rules(batch, gate_full.name, sets, Role::full);

  put_exemptions(batch, gate_quiet.name);
  put_source_rules(batch, gate_quiet.name, sets, Role::allow);
  put_open_ports_rule(batch, gate_quiet.name, sets, Role::open_tcp);
  put_open_ports_rule(batch, gate_quiet.name, sets, Role::open_udp);
  put_source_rules(batch, gate_quiet.name, sets, Role::quiet);
}

}  // namespace palang
