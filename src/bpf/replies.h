#ifndef PALANG_BPF_REPLIES_H
#define PALANG_BPF_REPLIES_H

// Whether a packet of a banned peer belongs to a connection that this host opened itself.
#include "bpf/maps.h"
#include "bpf/parse.h"

#ifndef PALANG_WITHOUT_CONNTRACK
// The few types of the kernel that are named here; CO-RE finds the running kernel's own.
struct nf_conn {
  unsigned long status;
} __attribute__((preserve_access_index));
struct bpf_ct_opts___palang {
  __s32 netns_id;
  __s32 error;
  __u8 l4proto;
  __u8 dir;
  __u8 reserved[2];
};
extern struct nf_conn* bpf_xdp_ct_lookup(struct xdp_md* context, struct bpf_sock_tuple* tuple, __u32 tuple_size,
                                         struct bpf_ct_opts___palang* options, __u32 options_size) __ksym __weak;
extern struct nf_conn* bpf_skb_ct_lookup(struct __sk_buff* context, struct bpf_sock_tuple* tuple, __u32 tuple_size,
                                         struct bpf_ct_opts___palang* options, __u32 options_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn* connection) __ksym __weak;
#endif

enum hook { HOOK_XDP, HOOK_TC };

#define ANY_NETNS_OF_DEVICE (-1)  // BPF_F_CURRENT_NETNS
#define DIRECTION_REPLY 1         // IP_CT_DIR_REPLY

static __always_inline int has_port(__u32 set, __u16 port) {
  const struct palang_port_set* const known = bpf_map_lookup_elem(&ports, &set);
  return known && (known->bits[port / 64] >> (port & 63)) & 1;
}

static __always_inline __u32 tuple_of(const struct packet* packet, struct bpf_sock_tuple* tuple) {
  if (packet->is_v4) {
    tuple->ipv4.saddr = bpf_htonl((__u32)packet->low);
    tuple->ipv4.daddr = bpf_htonl((__u32)packet->to_low);
    tuple->ipv4.sport = bpf_htons(packet->source_port);
    tuple->ipv4.dport = bpf_htons(packet->port);
    return sizeof tuple->ipv4;
  }
  const __be32 from[4] = {bpf_htonl(packet->high >> 32), bpf_htonl((__u32)packet->high), bpf_htonl(packet->low >> 32),
                          bpf_htonl((__u32)packet->low)};
  const __be32 to[4] = {bpf_htonl(packet->to_high >> 32), bpf_htonl((__u32)packet->to_high),
                        bpf_htonl(packet->to_low >> 32), bpf_htonl((__u32)packet->to_low)};
  __builtin_memcpy(tuple->ipv6.saddr, from, sizeof from);
  __builtin_memcpy(tuple->ipv6.daddr, to, sizeof to);
  tuple->ipv6.sport = bpf_htons(packet->source_port);
  tuple->ipv6.dport = bpf_htons(packet->port);
  return sizeof tuple->ipv6;
}

static __always_inline int is_tracked_reply(void* context, enum hook hook, const struct packet* packet,
                                            struct bpf_sock_tuple* tuple, __u32 size) {
#ifdef PALANG_WITHOUT_CONNTRACK
  return 0;
#else
  struct bpf_ct_opts___palang options = {.netns_id = ANY_NETNS_OF_DEVICE, .l4proto = packet->protocol};
  struct nf_conn* connection = NULL;
  if (hook == HOOK_XDP)
    connection = bpf_xdp_ct_lookup(context, tuple, size, &options, sizeof options);
  else
    connection = bpf_skb_ct_lookup(context, tuple, size, &options, sizeof options);
  if (!connection) return 0;
  bpf_ct_release(connection);
  return options.dir == DIRECTION_REPLY;
#endif
}

// A socket that doesn't listen, or any of UDP: the port is none on which a service listens (see is_reply).
static __always_inline int has_socket(void* context, __u8 protocol, struct bpf_sock_tuple* tuple, __u32 size) {
  struct bpf_sock* socket = NULL;
  if (protocol == IPPROTO_TCP)
    socket = bpf_skc_lookup_tcp(context, tuple, size, ANY_NETNS_OF_DEVICE, 0);
  else
    socket = bpf_sk_lookup_udp(context, tuple, size, ANY_NETNS_OF_DEVICE, 0);
  if (!socket) return 0;
  const int listens = protocol == IPPROTO_TCP && socket->state == BPF_TCP_LISTEN;
  bpf_sk_release(socket);
  return !listens;
}

// Errors and echo replies: this host asked, or the kernel ignores them.
static __always_inline int is_icmp_reply(const struct packet* packet) {
  if (packet->transport != NO_PORTS) return 0;
  const __u8 type = packet->icmp_type;
  if (packet->protocol == IPPROTO_ICMP) return type == 0 || type == 3 || type == 11 || type == 12;
  return packet->protocol == IPPROTO_ICMPV6 && (type == 129 || (type >= 1 && type <= 4));
}

// Connections that this host opens have a local port of the ephemeral range on which no service listens.
static __always_inline int may_be_reply(const struct palang_settings* settings, const struct packet* packet) {
  if (packet->transport != PORTS_KNOWN) return 0;
  const int tcp = packet->protocol == IPPROTO_TCP;
  if (tcp && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) return 0;
  if (packet->port < settings->ephemeral_from || packet->port > settings->ephemeral_to) return 0;
  return !has_port(tcp ? PALANG_HEARD_TCP : PALANG_HEARD_UDP, packet->port);
}

static __always_inline int is_reply(void* context, enum hook hook, const struct packet* packet) {
  struct bpf_sock_tuple tuple = {};
  const __u32 size = tuple_of(packet, &tuple);
  // The functions want a size that the verifier knows.
  if (size == sizeof tuple.ipv4)
    return (features.conntrack && is_tracked_reply(context, hook, packet, &tuple, sizeof tuple.ipv4)) ||
           has_socket(context, packet->protocol, &tuple, sizeof tuple.ipv4);
  return (features.conntrack && is_tracked_reply(context, hook, packet, &tuple, sizeof tuple.ipv6)) ||
         has_socket(context, packet->protocol, &tuple, sizeof tuple.ipv6);
}

#endif
