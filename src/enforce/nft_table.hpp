#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enforce/nft_batch.hpp"
#include "enforce/set_name.hpp"

namespace palang {

// How our table is laid out, written as messages of a transaction. Nothing here names another table.

// A base chain: where it hangs among the hooks of netfilter (linux/netfilter.h, linux/netfilter_ipv4.h).
struct ChainPlace {
  std::string_view name;
  uint32_t hook;
  int32_t priority;
};

// gate_full sees all that arrives, before anyone translates addresses; gate_quiet what is for this host itself, after
// that: forwarded packets never come by there, and ports are those that local services listen on.
[[nodiscard]] std::span<const ChainPlace> gate_chains();

void put_table(NftBatch& batch);                           // also wakes one that was made dormant
void put_table_removal(NftBatch& batch);                   // refused while anything is in it
void put_chain(NftBatch& batch, const ChainPlace& chain);  // also sets the policy of one that exists back to accept
void put_set(NftBatch& batch, const SetName& set);
void put_set_removal(NftBatch& batch, std::string_view set);
void put_chain_removal(NftBatch& batch, std::string_view chain);
void put_rules_removal(NftBatch& batch, std::string_view chain);
// Flushes the rules of our chains and writes those for `sets`, all that exist and are in force.
void put_rules(NftBatch& batch, std::span<const SetName> sets);

// What a set of this name must look like to be ours.
struct SetShape {
  uint32_t key_size;
  uint32_t flags;
  bool counts;  // each element has a packet counter
};
[[nodiscard]] SetShape shape_of(const SetName& set);

}  // namespace palang
