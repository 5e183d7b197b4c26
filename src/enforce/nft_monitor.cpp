#include "enforce/nft_monitor.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "enforce/nft_parse.hpp"
#include "enforce/set_name.hpp"

namespace palang {
namespace {

constexpr int most_datagrams = 1000;

// Drops datagrams whose first message answers a request of one of `port_ids`; all messages of a datagram stem from the
// same transaction. Classic BPF loads words in network order, netlink headers are in that of the host.
std::vector<sock_filter> filter_without(std::span<const uint32_t> port_ids) {
  constexpr uint32_t whole_datagram = UINT32_MAX;
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)));
  for (const uint32_t port_id : port_ids) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port_id), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, whole_datagram));
  return program;
}

ForeignChange change_of_set(std::string_view name) {
  const auto set = SetName::parse(name);
  return set && set->holds_bans() ? ForeignChange::everything : ForeignChange::structure;
}

// The name of the chain or set that a message is about; "" for the table itself.
std::string_view subject_of(MessageView message) {
  static_assert(int{NFTA_SET_NAME} == 2 && int{NFTA_RULE_CHAIN} == 2 && int{NFTA_SET_ELEM_LIST_SET} == 2);
  const Attributes<NFTA_CHAIN_MAX> attributes(message.header);
  switch (message.nft_type()) {
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_DELCHAIN: return attributes.text(NFTA_CHAIN_NAME);
    case NFT_MSG_NEWRULE:
    case NFT_MSG_DELRULE:
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET:
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM: return attributes.text(2);
    default: return {};
  }
}

ForeignChange judge(MessageView message, bool& firewall_changed) {
  if (!message.is_nft() || message.nft_family() != NFPROTO_INET) return ForeignChange::none;
  // Attribute 1 of every kind of message is the table's name.
  static_assert(int{NFTA_TABLE_NAME} == 1 && int{NFTA_CHAIN_TABLE} == 1 && int{NFTA_RULE_TABLE} == 1);
  static_assert(int{NFTA_SET_TABLE} == 1 && int{NFTA_SET_ELEM_LIST_TABLE} == 1 && int{NFTA_OBJ_TABLE} == 1);
  const Attributes<NFTA_SET_MAX> attributes(message.header);
  const uint16_t type = message.nft_type();
  if (type == NFT_MSG_NEWGEN || type == NFT_MSG_TRACE || attributes.text(1) != table_name) return ForeignChange::none;
  if (is_of_firewall(subject_of(message))) {
    firewall_changed = true;
    return ForeignChange::none;
  }
  switch (type) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_DELTABLE: firewall_changed = true; return ForeignChange::everything;
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET: return change_of_set(attributes.text(NFTA_SET_NAME));
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM: return change_of_set(attributes.text(NFTA_SET_ELEM_LIST_SET));
    default: return ForeignChange::structure;
  }
}

}  // namespace

Result<NftMonitor> NftMonitor::open(std::span<const uint32_t> own_port_ids) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return Failure(socket.error());
  auto program = filter_without(own_port_ids);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(socket->fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
    return fail_os("filter", "the nftables monitor", errno);
  const int group = NFNLGRP_NFTABLES;
  if (::setsockopt(socket->fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
    return fail_os("join", "the notifications of nftables", errno);
  return NftMonitor(std::move(*socket));
}

Result<ForeignChange> NftMonitor::drain() {
  ForeignChange worst = ForeignChange::none;
  for (int i = 0; i < most_datagrams; ++i) {
    const auto datagram = socket_.receive();
    if (!datagram && datagram.error().os == ENOBUFS) {
      worst = ForeignChange::everything;
      firewall_changed_ = true;
      continue;
    }
    if (!datagram) return Failure(datagram.error());
    if (datagram->empty()) break;
    for (const MessageView message : MessagesIn(*datagram)) worst = std::max(worst, judge(message, firewall_changed_));
  }
  return worst;
}

}  // namespace palang
