#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "enforce/message_writer.hpp"
#include "enforce/netlink_socket.hpp"
#include "enforce/set_name.hpp"

namespace palang {

// Begins a message of the nftables subsystem (NFT_MSG_*, linux/netfilter/nf_tables.h) for our table's family.
void begin_nft_message(MessageWriter& writer, uint16_t message, uint16_t flags, uint32_t sequence);

// One nftables transaction: all of its messages take effect at once, or none does.
class NftBatch {
 public:
  explicit NftBatch(NetlinkSocket& socket);

  // Messages are written between begin() and writer().end().
  MessageWriter& begin(uint16_t message, uint16_t flags = 0);
  [[nodiscard]] MessageWriter& writer() { return writer_; }

  // Sends it; the error of the first refused message, naming what that was to do.
  // Where the kernel says "again" (someone changed the ruleset meanwhile) it is sent again, a few times.
  [[nodiscard]] Result<void> commit();

 private:
  [[nodiscard]] Result<void> send_once();
  [[nodiscard]] Result<void> read_answers();
  [[nodiscard]] Failure refused(uint32_t sequence, int os_error, std::span<const uint8_t> answer) const;

  NetlinkSocket& socket_;
  MessageWriter writer_;
  uint32_t first_sequence_;
  uint32_t last_sequence_;
};

}  // namespace palang
