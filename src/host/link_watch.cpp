#include "host/link_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace palang {

Result<LinkWatch> LinkWatch::open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!socket) return fail_os("open", "netlink socket for interfaces", errno);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_os("listen to changes of", "interfaces", errno);
  return LinkWatch(std::move(socket));
}

void LinkWatch::drain() {
  std::array<std::byte, size_t{1} << 15> buffer{};
  // ENOBUFS: some were lost, and that, too, is read once. What comes meanwhile wakes the loop again.
  for (int datagrams = 0; datagrams < 1000; ++datagrams)
    if (::recv(socket_.get(), buffer.data(), buffer.size(), 0) < 0 && errno != EINTR && errno != ENOBUFS) return;
}

}  // namespace palang
