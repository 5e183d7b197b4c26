#include "enforce/netlink_socket.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace palang {
namespace {

// Must hold a transaction (about 30 bytes an element) and the answers to a few hundred requests.
constexpr int kernel_buffer_bytes = 16 << 20;
// The kernel makes dump datagrams as large as the reader's buffer, up to 32 KiB; others stay below 64 KiB.
constexpr size_t datagram_bytes = 1 << 16;

void set_option(int fd, int level, int option, int value) {
  // Each of these only widens a limit or adds detail to errors: without it things still work.
  [[maybe_unused]] const int result = ::setsockopt(fd, level, option, &value, sizeof value);
}

// Beyond the system's limit with CAP_NET_ADMIN of the host; within it in a container that has only its own.
void widen_buffers(int fd) {
  set_option(fd, SOL_SOCKET, SO_SNDBUF, kernel_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, kernel_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kernel_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kernel_buffer_bytes);
}

}  // namespace

void NetlinkSocket::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

NetlinkSocket::NetlinkSocket(Handle handle, uint32_t port_id)
    : handle_(std::move(handle)), port_id_(port_id), buffer_(datagram_bytes) {}

Result<NetlinkSocket> NetlinkSocket::open(int bus) {
  Handle handle(mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!handle) return fail_os("open", "a netlink socket", errno);
  if (mnl_socket_bind(handle.get(), 0, MNL_SOCKET_AUTOPID) < 0) return fail_os("bind", "a netlink socket", errno);
  const int fd = mnl_socket_get_fd(handle.get());
  widen_buffers(fd);
  set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);  // errors name the attribute
  set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);  // errors don't echo the message
  const uint32_t port_id = mnl_socket_get_portid(handle.get());
  return NetlinkSocket(std::move(handle), port_id);
}

int NetlinkSocket::fd() const {
  return mnl_socket_get_fd(handle_.get());
}

size_t NetlinkSocket::send_limit() const {
  constexpr size_t reserved = 32;  // by netlink_sendmsg() in the kernel
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (::getsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &bytes, &size) < 0 || bytes < static_cast<int>(reserved)) return 0;
  return static_cast<size_t>(bytes) - reserved;
}

Result<void> NetlinkSocket::send(std::span<const uint8_t> messages) {
  while (mnl_socket_sendto(handle_.get(), messages.data(), messages.size()) < 0)
    if (errno != EINTR) return fail_os("send to", "the kernel by netlink", errno);
  return {};
}

Result<std::span<const uint8_t>> NetlinkSocket::receive() {
  while (true) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof sender;
    const ssize_t got = ::recvfrom(fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return std::span<const uint8_t>{};
      return fail_os("receive from", "the kernel by netlink", errno);
    }
    const auto size = static_cast<size_t>(got);
    if (size > buffer_.size()) return fail_os("receive from", "the kernel by netlink", EMSGSIZE);
    if (sender.nl_pid != 0 || size == 0) continue;  // only the kernel is believed
    return std::span<const uint8_t>(buffer_).first(size);
  }
}

void NetlinkSocket::discard_waiting() {
  while (true) {
    const auto datagram = receive();
    if (datagram && datagram->empty()) return;
    if (!datagram && datagram.error().os != ENOBUFS) return;
  }
}

}  // namespace palang
