#include "host/netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/fd.hpp"

namespace palang {
namespace {

constexpr size_t align_up(size_t length) {
  return (length + 3) & ~size_t{3};
}

Result<Fd> open_netlink(int family) {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family));
  if (!socket) return fail_os("open", "netlink socket", errno);
  // The kernel answers at once; this is for the case that it doesn't.
  const timeval patience{2, 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
    return fail_os("set up", "netlink socket", errno);
  return socket;
}

Result<void> send_request(const Fd& socket, uint16_t type, Bytes request) {
  std::vector<std::byte> message(NLMSG_HDRLEN + align_up(request.size()));
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + request.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::memcpy(message.data(), &header, sizeof header);
  std::ranges::copy(request, message.begin() + NLMSG_HDRLEN);
  if (::send(socket.get(), message.data(), message.size(), 0) < 0) return fail_os("ask", "netlink", errno);
  return {};
}

// One datagram of the answer. True: there is more to come.
Result<bool> use_datagram(Bytes datagram, const std::function<bool(Bytes)>& use) {
  while (const auto header = read_struct<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > datagram.size())
      return fail("read netlink: a broken message");
    const Bytes payload = datagram.subspan(NLMSG_HDRLEN, header->nlmsg_len - NLMSG_HDRLEN);
    if (header->nlmsg_type == NLMSG_DONE) return false;
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto error = read_struct<nlmsgerr>(payload);
      return fail_os("read", "netlink", error ? -error->error : EIO);
    }
    if (header->nlmsg_type >= NLMSG_MIN_TYPE && !use(payload)) return false;
    datagram = behind(datagram, header->nlmsg_len);
  }
  return true;
}

}  // namespace

Bytes behind(Bytes bytes, size_t length) {
  return bytes.subspan(std::min(align_up(length), bytes.size()));
}

void for_each_attribute(Bytes attributes, const std::function<void(uint16_t, Bytes)>& use) {
  constexpr uint16_t type_bits = 0x3fff;  // NLA_TYPE_MASK; above it are flags
  while (const auto attribute = read_struct<rtattr>(attributes)) {
    if (attribute->rta_len < sizeof(rtattr) || attribute->rta_len > attributes.size()) return;
    use(attribute->rta_type & type_bits, attributes.subspan(sizeof(rtattr), attribute->rta_len - sizeof(rtattr)));
    attributes = behind(attributes, attribute->rta_len);
  }
}

Result<void> netlink_dump(int netlink_family, uint16_t message_type, Bytes request,
                          const std::function<bool(Bytes)>& use) {
  const auto socket = open_netlink(netlink_family);
  if (!socket) return Failure(socket.error());
  if (auto sent = send_request(*socket, message_type, request); !sent) return sent;
  std::vector<std::byte> buffer(size_t{1} << 16);  // the kernel fills at most 32 KiB at a time
  while (true) {
    const ssize_t got = ::recv(socket->get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", "netlink", errno);
    const auto more = use_datagram(Bytes(buffer).first(static_cast<size_t>(got)), use);
    if (!more) return Failure(more.error());
    if (!*more) return {};
  }
}

}  // namespace palang
