#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "enforce/nft_batch.hpp"

namespace palang {

// Writes one rule to the end of a chain of ours, expression by expression; they stop at the first that doesn't match.
// The value that was loaded last is what the next expression looks at. Ends with accept() or drop().
class NftRule {
 public:
  NftRule(NftBatch& batch, std::string_view chain);

  NftRule& load_meta(uint32_t key);                                      // NFT_META_*
  NftRule& load_ct(uint32_t key);                                        // NFT_CT_*
  NftRule& load_payload(uint32_t base, uint32_t offset, uint32_t size);  // NFT_PAYLOAD_*_HEADER, bytes
  NftRule& keep_bits(std::span<const uint8_t> mask);
  NftRule& must_be(uint32_t comparison, std::span<const uint8_t> value);  // NFT_CMP_*, memory order
  NftRule& must_be(uint8_t value);
  NftRule& must_be_in(std::string_view set);
  void accept();
  void drop();

 private:
  struct Expression {
    MessageWriter::Nest element;
    MessageWriter::Nest data;
  };
  [[nodiscard]] Expression open(std::string_view name);
  void close(Expression expression);
  void put_data(uint16_t attribute, std::span<const uint8_t> value);
  void finish(uint32_t verdict);

  MessageWriter& writer_;
  MessageWriter::Nest expressions_;
};

}  // namespace palang
