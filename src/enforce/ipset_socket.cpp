#include "enforce/ipset_socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "enforce/nft_parse.hpp"

namespace palang {
namespace {

constexpr uint8_t ipset_protocol = 6;  // understood by every kernel since 3.19
constexpr uint32_t most_ipset_entries = 16'000'000;
// An attribute's length has 16 bits, and an entry takes up to 88 bytes.
constexpr size_t most_entry_list_bytes = 60'000;
// As much as is given to the kernel in one call.
constexpr size_t most_ipset_bytes_at_once = size_t{1} << 20;
constexpr uint16_t big_endian = NLA_F_NET_BYTEORDER;

// The revisions of set types that all these kernels know, and that have timeouts and counters.
struct SetType {
  std::string_view name;
  uint8_t revision;
};

SetType type_of(const IpsetSet& set) {
  if (set.holds_ports()) return {"bitmap:port", 3};
  return set.networks ? SetType{"hash:net", 6} : SetType{"hash:ip", 4};
}

uint8_t family_of(const IpsetSet& set) {
  if (set.holds_ports()) return NFPROTO_UNSPEC;
  return set.v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

void put_u8(MessageWriter& writer, uint16_t attribute, uint8_t value) {
  writer.put(attribute, {&value, 1});
}

void put_u16(MessageWriter& writer, uint16_t attribute, uint16_t value) {
  const std::array<uint8_t, 2> wire{static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
  writer.put(attribute | big_endian, wire);
}

void put_key(MessageWriter& writer, const IpsetSet& set, const IpsetEntry& entry) {
  if (set.holds_ports()) return put_u16(writer, IPSET_ATTR_PORT, entry.port);
  const auto address = writer.open(IPSET_ATTR_IP);
  const auto bytes = entry.prefix.address().bytes();
  const std::span<const uint8_t> all(bytes);
  if (set.v4)
    writer.put(IPSET_ATTR_IPADDR_IPV4 | big_endian, all.last(4));
  else
    writer.put(IPSET_ATTR_IPADDR_IPV6 | big_endian, all);
  writer.close(address);
  if (set.networks) put_u8(writer, IPSET_ATTR_CIDR, static_cast<uint8_t>(entry.prefix.length()));
}

// Codes of ipset's own, which strerror() doesn't know.
Failure ipset_failure(std::string_view what, int code) {
  constexpr int set_is_full = IPSET_ERR_TYPE_SPECIFIC;
  switch (code) {
    case IPSET_ERR_FIND_TYPE: return fail(fmt::format("{}: this kernel has no such type of set", what));
    case IPSET_ERR_MAX_SETS: return fail(fmt::format("{}: the kernel has no room for another set", what));
    case IPSET_ERR_BUSY:
    case IPSET_ERR_REFERENCED: return fail_os(what, "", EBUSY);
    case IPSET_ERR_EXIST:
    case IPSET_ERR_EXIST_SETNAME2: return fail_os(what, "", EEXIST);
    case set_is_full: return fail(fmt::format("{}: the set is full", what));
    default: break;
  }
  if (code < IPSET_ERR_PRIVATE) return fail_os(what, "", code);
  return fail(fmt::format("{}: refused by ipset with code {}", what, code));
}

uint32_t initial_hash_size(size_t entries) {
  constexpr size_t least = 1024;
  // A bucket holds up to a dozen; the kernel doubles the table where that is not enough.
  return static_cast<uint32_t>(std::bit_ceil(std::clamp<size_t>(entries / 4, least, most_ipset_entries)));
}

std::optional<IpsetEntry> parse_entry(const nlattr* nest, const IpsetSet& set, WallTime now) {
  const Attributes<IPSET_ATTR_ADT_MAX> attributes(nest);
  IpsetEntry entry;
  if (set.holds_ports()) {
    const auto port = read_network_order<uint16_t>(attributes.data(IPSET_ATTR_PORT));
    if (!port) return {};
    entry.port = *port;
    return entry;
  }
  const Attributes<IPSET_ATTR_IPADDR_MAX> address(attributes[IPSET_ATTR_IP]);
  const auto bytes = address.data(set.v4 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6);
  if (bytes.size() != (set.v4 ? 4U : 16U)) return {};
  std::array<uint8_t, 16> key{};
  std::ranges::copy(bytes, key.begin());
  const Address at = set.v4 ? Address::v4(read_network_order<uint32_t>(bytes).value_or(0)) : Address::from_bytes(key);
  const auto length = attributes.data(IPSET_ATTR_CIDR);
  entry.prefix = length.size() == 1 ? Prefix::of_length(at, length[0]) : Prefix::of(at);
  const uint32_t seconds = attributes.u32(IPSET_ATTR_TIMEOUT).value_or(0);
  if (seconds > 0) entry.until = now + std::chrono::seconds{seconds};
  entry.packets = attributes.u64(IPSET_ATTR_PACKETS).value_or(0);
  return entry;
}

}  // namespace

Result<IpsetSocket> IpsetSocket::open() {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return Failure(socket.error());
  return IpsetSocket(std::move(*socket));
}

MessageWriter& IpsetSocket::begin(uint16_t command, uint16_t flags, std::string_view name) {
  writer_.begin(static_cast<uint16_t>(NFNL_SUBSYS_IPSET << 8 | command), flags, socket_.take_sequence());
  writer_.put_header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  put_u8(writer_, IPSET_ATTR_PROTOCOL, ipset_protocol);
  if (!name.empty()) writer_.put_text(IPSET_ATTR_SETNAME, name);
  return writer_;
}

// Sends what was written, whose last message asks for an acknowledgement; the first refusal counts.
Result<void> IpsetSocket::send(std::string_view what) {
  writer_.add_flags_to_last(NLM_F_ACK);
  socket_.discard_waiting();
  const auto sent = socket_.send(writer_.bytes());
  writer_.clear();
  if (!sent) return fail_os(what, "", sent.error().os);
  bool acknowledged = false;
  Result<void> result;
  while (true) {
    const auto datagram = socket_.receive();
    if (!datagram) return fail_os(what, "", datagram.error().os);
    if (datagram->empty()) break;
    for (const MessageView message : MessagesIn(*datagram)) {
      if (message.header->nlmsg_type != NLMSG_ERROR) continue;
      const int code = refusal_of(message);
      acknowledged = true;
      if (code != 0 && result) result = ipset_failure(what, code);
    }
  }
  if (!acknowledged) return fail_os(what, "", EPROTO);
  return result;
}

Result<void> IpsetSocket::create(const IpsetSet& set, const std::string& name, size_t entries) {
  const SetType type = type_of(set);
  MessageWriter& writer = begin(IPSET_CMD_CREATE, 0, name);
  writer.put_text(IPSET_ATTR_TYPENAME, type.name);
  put_u8(writer, IPSET_ATTR_REVISION, type.revision);
  put_u8(writer, IPSET_ATTR_FAMILY, family_of(set));
  const auto data = writer.open(IPSET_ATTR_DATA);
  if (set.holds_ports()) {
    put_u16(writer, IPSET_ATTR_PORT, 0);
    put_u16(writer, IPSET_ATTR_PORT_TO, UINT16_MAX);
  } else {
    writer.put_u32(IPSET_ATTR_TIMEOUT | big_endian, 0);  // each entry has its own
    writer.put_u32(IPSET_ATTR_HASHSIZE | big_endian, initial_hash_size(entries));
    writer.put_u32(IPSET_ATTR_MAXELEM | big_endian, most_ipset_entries);
    if (set.holds_bans()) writer.put_u32(IPSET_ATTR_CADT_FLAGS | big_endian, IPSET_FLAG_WITH_COUNTERS);
  }
  writer.close(data);
  writer.end();
  return send("create ipset " + name);
}

Result<void> IpsetSocket::destroy(const std::string& name) {
  begin(IPSET_CMD_DESTROY, 0, name).end();
  auto done = send("destroy ipset " + name);
  if (!done && done.error().os == ENOENT) return {};
  return done;
}

Result<void> IpsetSocket::swap(const std::string& name, const std::string& other) {
  MessageWriter& writer = begin(IPSET_CMD_SWAP, 0, name);
  writer.put_text(IPSET_ATTR_SETNAME2, other);
  writer.end();
  return send(fmt::format("swap ipsets {} and {}", name, other));
}

template <typename Put>
Result<void> IpsetSocket::put_list(uint16_t command, std::string_view what, const std::string& name,
                                   std::span<const IpsetEntry> entries, const Put& put) {
  for (size_t at = 0; at < entries.size();) {
    while (at < entries.size() && writer_.bytes().size() < most_ipset_bytes_at_once) {
      MessageWriter& writer = begin(command, 0, name);
      writer.put_u32(IPSET_ATTR_LINENO | big_endian, 0);  // the kernel wants one with a list
      const auto list = writer.open(IPSET_ATTR_ADT);
      for (; at < entries.size() && writer.size_of(list) < most_entry_list_bytes; ++at) {
        const auto data = writer.open(IPSET_ATTR_DATA);
        put(writer, entries[at]);
        writer.close(data);
      }
      writer.close(list);
      writer.end();
    }
    if (auto done = send(what); !done) return done;
  }
  return {};
}

Result<void> IpsetSocket::add(const IpsetSet& set, const std::string& name, std::span<const IpsetEntry> entries,
                              Counters counters, const CallClock& clock) {
  const std::string what = entries.size() == 1 && !set.holds_ports()
                               ? fmt::format("add {} to ipset {}", entries.front().prefix.text(), name)
                               : fmt::format("add {} entries to ipset {}", entries.size(), name);
  const WallTime now = clock.now();
  return put_list(IPSET_CMD_ADD, what, name, entries, [&](MessageWriter& writer, const IpsetEntry& entry) {
    put_key(writer, set, entry);
    if (set.holds_ports()) return;
    writer.put_u32(IPSET_ATTR_TIMEOUT | big_endian, ipset_timeout(entry.until, now));
    if (counters == Counters::as_they_are) return;
    writer.put_u64(IPSET_ATTR_BYTES | big_endian, 0);
    writer.put_u64(IPSET_ATTR_PACKETS | big_endian, 0);
  });
}

Result<void> IpsetSocket::remove(const IpsetSet& set, const std::string& name, std::span<const IpsetEntry> entries) {
  const std::string what = fmt::format("remove {} entries from ipset {}", entries.size(), name);
  return put_list(IPSET_CMD_DEL, what, name, entries,
                  [&](MessageWriter& writer, const IpsetEntry& entry) { put_key(writer, set, entry); });
}

// False: the kernel has no such set.
Result<bool> IpsetSocket::dump(std::string_view what, const std::function<void(const nlmsghdr*)>& visit) {
  socket_.discard_waiting();
  const auto sent = socket_.send(writer_.bytes());
  writer_.clear();
  if (!sent) return fail_os(what, "", sent.error().os);
  while (true) {
    const auto datagram = socket_.receive();
    if (!datagram) return fail_os(what, "", datagram.error().os);
    if (datagram->empty()) return fail_os(what, "", EPROTO);
    for (const MessageView message : MessagesIn(*datagram)) {
      if (message.header->nlmsg_type == NLMSG_DONE) return true;
      if (message.header->nlmsg_type == NLMSG_ERROR) {
        const int code = refusal_of(message);
        if (code == ENOENT) return false;
        return code == 0 ? Result<bool>(true) : ipset_failure(what, code);
      }
      if (message.header->nlmsg_type == (NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST)) visit(message.header);
    }
  }
}

Result<bool> IpsetSocket::list(const IpsetSet& set, const CallClock& clock, const Visit& visit) {
  const std::string name = set.name();
  begin(IPSET_CMD_LIST, NLM_F_DUMP, name).end();
  return dump("list ipset " + name, [&](const nlmsghdr* message) {
    const Attributes<IPSET_ATTR_CMD_MAX> attributes(message);
    if (attributes[IPSET_ATTR_ADT] == nullptr) return;
    const WallTime now = clock.now();
    for (const nlattr* one : AttributesIn(attributes[IPSET_ATTR_ADT]))
      if (const auto entry = parse_entry(one, set, now)) visit(*entry);
  });
}

Result<std::map<std::string, IpsetSocket::Head>> IpsetSocket::heads() {
  MessageWriter& writer = begin(IPSET_CMD_LIST, NLM_F_DUMP, {});
  writer.put_u32(IPSET_ATTR_FLAGS | big_endian, IPSET_FLAG_LIST_HEADER);
  writer.end();
  std::map<std::string, Head> heads;
  const auto done = dump("list ipsets", [&](const nlmsghdr* message) {
    const Attributes<IPSET_ATTR_CMD_MAX> attributes(message);
    const std::string_view name = attributes.text(IPSET_ATTR_SETNAME);
    if (!name.starts_with("palang-")) return;
    const Attributes<IPSET_ATTR_CREATE_MAX> data(attributes[IPSET_ATTR_DATA]);
    heads[std::string(name)] = {data.u32(IPSET_ATTR_ELEMENTS).value_or(0), data.u32(IPSET_ATTR_REFERENCES).value_or(0)};
  });
  if (!done) return Failure(done.error());
  return heads;
}

}  // namespace palang
