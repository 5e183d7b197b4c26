#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"

struct mnl_socket;

namespace palang {

// A netlink socket to the kernel that never blocks: the kernel works within send(), so answers wait when it returns.
class NetlinkSocket {
 public:
  // `bus` as in socket(2): NETLINK_NETFILTER, NETLINK_SOCK_DIAG. Bound to no group.
  [[nodiscard]] static Result<NetlinkSocket> open(int bus);

  [[nodiscard]] int fd() const;
  [[nodiscard]] uint32_t port_id() const { return port_id_; }
  [[nodiscard]] uint32_t take_sequence() { return ++sequence_; }

  // The largest datagram that send() can send, in bytes.
  [[nodiscard]] size_t send_limit() const;
  // One datagram, which the kernel has worked through when this returns.
  [[nodiscard]] Result<void> send(std::span<const uint8_t> messages);
  // The next waiting datagram of the kernel, valid until the next call; empty when none waits. ENOBUFS: some were lost.
  [[nodiscard]] Result<std::span<const uint8_t>> receive();
  // Throws away what waits, such as the answers to a request that was given up.
  void discard_waiting();

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  using Handle = std::unique_ptr<mnl_socket, Close>;
  NetlinkSocket(Handle handle, uint32_t port_id);

  Handle handle_;
  uint32_t port_id_;
  uint32_t sequence_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace palang
