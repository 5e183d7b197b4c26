#include "source/nflog.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.hpp"

namespace palang {
namespace {

constexpr size_t nflog_buffer_size = size_t{1} << 20;
constexpr int kernel_buffer_bytes = 16 << 20;  // the kernel takes twice as much: some 25,000 lone packets

// Room for the headers: IPv4 with all options and TCP take 80 bytes, IPv6 with TCP 60 and some extension headers.
constexpr uint32_t copied_bytes = 192;

// A queue threshold of 1 sends each packet at once, where the kernel's defaults may keep it for a second. It allocates
// a buffer of nlbufsiz bytes for each, so small ones let more wait in the socket.
struct Handover {
  uint32_t threshold;     // packets
  uint32_t buffer_bytes;  // of one datagram
};
constexpr Handover at_once{1, 512};
constexpr Handover many_at_a_time{50, 16 << 10};
constexpr uint32_t timeout_hundredths = 1;  // how long an incomplete batch waits

// Where the pace changes, in packets per second.
constexpr uint64_t flood_rate = 20'000;
constexpr uint64_t calm_rate = 5'000;
constexpr Duration measured_for{100ms};

constexpr Duration names_hold{5s};
constexpr Duration warn_every{10s};
constexpr size_t room_for_attributes = 64;  // the library may know more of them than the header it comes with

void set_option(int fd, int level, int option, int value) {
  // Each only widens a limit or spares an error that sequence numbers tell better: without it things still work.
  [[maybe_unused]] const int result = ::setsockopt(fd, level, option, &value, sizeof value);
}

// A flood fills any buffer. Without NETLINK_NO_ENOBUFS the kernel would then deliver nothing until all was read.
void prepare(int fd) {
  set_option(fd, SOL_SOCKET, SO_RCVBUF, kernel_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kernel_buffer_bytes);
  set_option(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
}

std::string_view text_of(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  const std::string_view text(static_cast<const char*>(mnl_attr_get_payload(attribute)),
                              mnl_attr_get_payload_len(attribute));
  return text.substr(0, text.find('\0'));
}

std::span<const uint8_t> bytes_of(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  return {static_cast<const uint8_t*>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute)};
}

std::optional<uint32_t> number_of(const nlattr* attribute) {
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) < sizeof(uint32_t)) return {};
  return ntohl(mnl_attr_get_u32(attribute));
}

WallTime time_of(const nlattr* attribute, WallTime now) {
  nfulnl_msg_packet_timestamp stamp{};
  const auto bytes = bytes_of(attribute);
  if (bytes.size() < sizeof stamp) return now;
  std::copy_n(bytes.begin(), sizeof stamp, reinterpret_cast<uint8_t*>(&stamp));
  const std::chrono::seconds seconds{static_cast<int64_t>(be64toh(stamp.sec) & UINT32_MAX)};
  const Duration within{static_cast<int64_t>(be64toh(stamp.usec) & UINT32_MAX)};
  return std::min(WallTime{seconds + within}, now);
}

}  // namespace

std::string_view InterfaceNames::of(uint32_t index) {
  if (index == 0) return {};
  const auto known = names_.find(index);
  if (known != names_.end()) return known->second;
  std::array<char, IF_NAMESIZE> name{};
  const bool found = ::if_indextoname(index, name.data()) != nullptr;
  return names_.emplace(index, found ? std::string(name.data()) : fmt::format("if{}", index)).first->second;
}

void InterfaceNames::forget_old(WallTime now) {
  if (now - since_ < names_hold && now >= since_) return;
  names_.clear();
  since_ = now;
}

void Nflog::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

Nflog::Nflog(Socket socket, uint16_t group, const Clock& clock)
    : name_(fmt::format("nflog:{}", group)),
      socket_(std::move(socket)),
      group_(group),
      clock_(clock),
      buffer_(std::make_unique_for_overwrite<char[]>(nflog_buffer_size)) {}

Result<std::unique_ptr<Nflog>> Nflog::open(uint16_t group, const Clock& clock) {
  const std::string subject = fmt::format("NFLOG group {}", group);
  Socket socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return fail_os("open", subject, errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return fail_os("open", subject, errno);
  prepare(mnl_socket_get_fd(socket.get()));
  std::unique_ptr<Nflog> source(new Nflog(std::move(socket), group, clock));
  auto bound = source->configure(Pace::at_once, true);
  if (bound) bound = source->await_acknowledgement();
  if (bound) return source;
  Failure failure = fail_os("bind to", subject, bound.error().os);
  // The kernel says the same of both.
  if (bound.error().os == EPERM)
    failure.error().text += ": another program is bound to it, or CAP_NET_ADMIN is missing";
  return failure;
}

int Nflog::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

// All in one message, so that not even the first packet is handed over otherwise.
Result<void> Nflog::configure(Pace pace, bool first) {
  std::array<char, 256> buffer{};
  nlmsghdr* const message = nflog_nlmsg_put_header(buffer.data(), NFULNL_MSG_CONFIG, AF_UNSPEC, group_);
  const Handover& handover = pace == Pace::at_once ? at_once : many_at_a_time;
  if (first) {
    message->nlmsg_flags = static_cast<uint16_t>(message->nlmsg_flags | NLM_F_ACK);
    nflog_attr_put_cfg_cmd(message, NFULNL_CFG_CMD_BIND);
    nflog_attr_put_cfg_mode(message, NFULNL_COPY_PACKET, copied_bytes);
    mnl_attr_put_u16(message, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
    mnl_attr_put_u32(message, NFULA_CFG_TIMEOUT, htonl(timeout_hundredths));
  }
  mnl_attr_put_u32(message, NFULA_CFG_NLBUFSIZ, htonl(handover.buffer_bytes));
  mnl_attr_put_u32(message, NFULA_CFG_QTHRESH, htonl(handover.threshold));
  if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) return fail_os("configure", name_, errno);
  return {};
}

// The kernel has answered when send() returns. Packets that overtook the answer are given up; the sequence tells.
Result<void> Nflog::await_acknowledgement() {
  while (true) {
    const ssize_t got = ::recv(fd(), buffer_.get(), nflog_buffer_size, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("bind to", name_, errno);
    int left = static_cast<int>(got);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.get()); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_type != NLMSG_ERROR) continue;
      const int error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message))->error;
      if (error != 0) return fail_os("bind to", name_, error);
      return {};
    }
  }
}

Result<void> Nflog::read(Batch& batch) {
  constexpr size_t largest_datagram = size_t{64} << 10;
  batch.clear();
  const WallTime now = clock_.now();
  interfaces_.forget_old(now);
  for (size_t used = 0; nflog_buffer_size - used >= largest_datagram;) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof sender;
    const ssize_t got = ::recvfrom(fd(), buffer_.get() + used, largest_datagram, MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (got < 0) {
      const int os_error = errno;
      adapt(batch.packets.size(), now);
      warn_of_loss(now);
      if (os_error == EAGAIN || !batch.packets.empty()) return {};
      return fail_os("read", name_, os_error);
    }
    if (sender.nl_pid != 0) continue;  // only the kernel is believed
    take_datagram({buffer_.get() + used, static_cast<size_t>(got)}, now, batch);
    used += NLMSG_ALIGN(static_cast<size_t>(got));
  }
  adapt(batch.packets.size(), now);
  warn_of_loss(now);
  batch.more = true;
  return {};
}

void Nflog::take_datagram(std::span<const char> datagram, WallTime now, Batch& batch) {
  int left = static_cast<int>(datagram.size());
  for (const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data()); mnl_nlmsg_ok(message, left);
       message = mnl_nlmsg_next(message, &left))
    if (message->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)) take_packet(message, now, batch);
}

void Nflog::take_packet(const nlmsghdr* message, WallTime now, Batch& batch) {
  std::array<nlattr*, room_for_attributes> attributes{};
  if (nflog_nlmsg_parse(message, attributes.data()) != MNL_CB_OK) return;
  if (const auto sequence = number_of(attributes[NFULA_SEQ])) count_lost(*sequence);
  RawPacket packet;
  packet.bytes = bytes_of(attributes[NFULA_PAYLOAD]);
  const nlattr* const kind = attributes[NFULA_HWTYPE];
  if (kind != nullptr && ntohs(mnl_attr_get_u16(kind)) == ARPHRD_ETHER)
    packet.link_bytes = bytes_of(attributes[NFULA_HWHEADER]);
  packet.prefix = text_of(attributes[NFULA_PREFIX]);
  packet.in = interfaces_.of(number_of(attributes[NFULA_IFINDEX_INDEV]).value_or(0));
  packet.out = interfaces_.of(number_of(attributes[NFULA_IFINDEX_OUTDEV]).value_or(0));
  packet.at = time_of(attributes[NFULA_TIMESTAMP], now);
  ++counters_.lines;
  counters_.bytes += packet.bytes.size();
  batch.packets.push_back(packet);
}

// The kernel numbers the packets of a group from 0; those it found no room for leave a gap.
void Nflog::count_lost(uint32_t sequence) {
  counters_.lost_lines += sequence - next_sequence_;
  next_sequence_ = sequence + 1;
}

void Nflog::warn_of_loss(WallTime now) {
  if (counters_.lost_lines == warned_of_ || (now - warned_at_ < warn_every && now >= warned_at_)) return;
  log_warning(fmt::format("{}: {} packets came faster than they could be read, and were lost", name_,
                          counters_.lost_lines - warned_of_));
  warned_of_ = counters_.lost_lines;
  warned_at_ = now;
}

void Nflog::adapt(size_t packets, WallTime now) {
  measured_ += packets;
  const Duration passed = now - measured_since_;
  if (passed >= Duration{0} && passed < measured_for) return;
  // A clock that was set back says nothing about the rate.
  const uint64_t rate = passed > Duration{0} ? measured_ * 1'000'000 / static_cast<uint64_t>(passed.count()) : 0;
  measured_since_ = now;
  measured_ = 0;
  const Pace pace = rate > flood_rate ? Pace::many_at_a_time : rate < calm_rate ? Pace::at_once : pace_;
  if (pace == pace_) return;
  if (configure(pace, false)) pace_ = pace;
}

}  // namespace palang
