#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "enforce/netlink_socket.hpp"

namespace palang {

// What somebody else did to our table; ordered, the worse the higher.
enum class ForeignChange : uint8_t {
  none,
  structure,   // rules, chains, what is allowed or open: reconcile without bans suffices
  everything,  // bans or the table itself, or notifications were lost: reconcile all
};

// Listens to what nftables tells of its changes (nft monitor). Our own are dropped by a socket filter in the kernel, so
// that loading a million elements doesn't overrun it; bans that expire are not told at all.
class NftMonitor {
 public:
  // `own_port_ids`: NftEnforcer::port_id() of every enforcer in this process.
  [[nodiscard]] static Result<NftMonitor> open(std::span<const uint32_t> own_port_ids);

  // Readable when drain() has something.
  [[nodiscard]] int fd() const { return socket_.fd(); }
  // The worst that happened since the last call. Reads at most about a thousand notifications; the rest waits.
  // What concerns the standing firewall alone is no change of ours; see firewall_changed().
  [[nodiscard]] Result<ForeignChange> drain();
  // Whether the standing firewall, or the whole table, was touched since the last call, by whomever.
  [[nodiscard]] bool firewall_changed() { return std::exchange(firewall_changed_, false); }

 private:
  explicit NftMonitor(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
  bool firewall_changed_ = false;
};

}  // namespace palang
