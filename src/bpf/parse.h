#ifndef PALANG_BPF_PARSE_H
#define PALANG_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
// Behind linux/bpf.h, which they need.
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

#define MOST_VLANS 2
#define MOST_EXTENSIONS 8

// What of the transport header is known.
enum transport {
  PORTS_KNOWN,  // TCP, UDP
  NO_PORTS,     // another protocol
  LATER_FRAGMENT,
  SHORT_TRANSPORT,
  SHORT_EXTENSION,
  DEEP_EXTENSION,
};

// Where the reading is.
struct cursor {
  void* at;
  void* end;
};

// What is known of a packet. Numbers only, in the order of the host, so that it may be passed to global functions.
struct packet {
  __u64 high;  // the source, v4 in its mapped form
  __u64 low;
  __u64 to_high;  // the destination
  __u64 to_low;
  __u16 source_port;
  __u16 port;
  __u16 network_at;  // offsets of the headers
  __u16 transport_at;
  __u8 is_v4;
  __u8 protocol;
  __u8 transport;
  __u8 tcp_flags;
  __u8 icmp_type;
  __u8 fragment;  // any fragment, the first too
  __u8 tripped;   // see tripwire.h
  __u8 length;    // of the prefix that is banned
  __u8 kind;      // enum place_kind: where the ban is that covers the source
  __u32 place;
  __u32 word;  // 0: no ban covers the source
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct vlan_header {
  __be16 tag;
  __be16 protocol;
};

// Leaves `at` behind the last tag. PALANG_PASS: an IP header should follow; then `protocol` says which.
static __always_inline enum palang_verdict parse_ethernet(struct cursor* cursor, __be16* protocol) {
  const struct ethhdr* const ethernet = cursor->at;
  if ((void*)(ethernet + 1) > cursor->end) return PALANG_SHORT_ETHERNET;
  cursor->at = (void*)(ethernet + 1);
  __be16 next = ethernet->h_proto;
#pragma unroll
  for (int i = 0; i < MOST_VLANS; ++i) {
    if (next != bpf_htons(ETH_P_8021Q) && next != bpf_htons(ETH_P_8021AD)) break;
    const struct vlan_header* const vlan = cursor->at;
    if ((void*)(vlan + 1) > cursor->end) return PALANG_SHORT_VLAN;
    cursor->at = (void*)(vlan + 1);
    next = vlan->protocol;
  }
  *protocol = next;
  if (next == bpf_htons(ETH_P_IP) || next == bpf_htons(ETH_P_IPV6)) return PALANG_PASS;
  if (next == bpf_htons(ETH_P_8021Q) || next == bpf_htons(ETH_P_8021AD)) return PALANG_DEEP_VLAN;
  return PALANG_NOT_IP;
}

static __always_inline void parse_transport(struct cursor* cursor, struct packet* packet) {
  packet->transport = SHORT_TRANSPORT;
  if (packet->protocol == IPPROTO_TCP) {
    const struct tcphdr* const tcp = cursor->at;
    if ((void*)(tcp + 1) > cursor->end) return;
    packet->source_port = bpf_ntohs(tcp->source);
    packet->port = bpf_ntohs(tcp->dest);
    packet->tcp_flags = ((const __u8*)tcp)[13];
    packet->transport = PORTS_KNOWN;
  } else if (packet->protocol == IPPROTO_UDP) {
    const struct udphdr* const udp = cursor->at;
    if ((void*)(udp + 1) > cursor->end) return;
    packet->source_port = bpf_ntohs(udp->source);
    packet->port = bpf_ntohs(udp->dest);
    packet->transport = PORTS_KNOWN;
  } else {
    packet->transport = NO_PORTS;
    packet->icmp_type = 255;  // none that means anything here
    if (packet->protocol != IPPROTO_ICMP && packet->protocol != IPPROTO_ICMPV6) return;
    if (cursor->at + 1 <= cursor->end) packet->icmp_type = *(const __u8*)cursor->at;
  }
}

static __always_inline enum palang_verdict parse_ip4(struct cursor* cursor, struct packet* packet) {
  const struct iphdr* const ip = cursor->at;
  if ((void*)(ip + 1) > cursor->end) return PALANG_SHORT_IP4;
  const __u32 length = ip->ihl * 4;
  if (ip->version != 4 || length < sizeof *ip) return PALANG_BAD_IP4;
  cursor->at += length;
  if (cursor->at > cursor->end) return PALANG_SHORT_IP4_OPTIONS;
  packet->is_v4 = 1;
  packet->low = 0xffff00000000ULL | bpf_ntohl(ip->saddr);
  packet->to_low = 0xffff00000000ULL | bpf_ntohl(ip->daddr);
  packet->protocol = ip->protocol;
  packet->fragment = (ip->frag_off & bpf_htons(0x3fff)) != 0;
  if ((ip->frag_off & bpf_htons(0x1fff)) != 0)
    packet->transport = LATER_FRAGMENT;
  else
    parse_transport(cursor, packet);
  return PALANG_PASS;
}

struct extension_header {
  __u8 next;
  __u8 length;    // in units of 8 bytes, without the first
  __be16 offset;  // of a fragment
};

#define BIT(number) (1ULL << ((number) & 63))
#define EXTENSIONS_BELOW_64 \
  (BIT(IPPROTO_HOPOPTS) | BIT(IPPROTO_ROUTING) | BIT(IPPROTO_FRAGMENT) | BIT(IPPROTO_AH) | BIT(IPPROTO_DSTOPTS))
#define EXTENSIONS_FROM_128 (BIT(IPPROTO_MH) | BIT(139 /* HIP */) | BIT(140 /* Shim6 */))

// By bits rather than by comparisons, each of which would be one more path for the verifier.
static __always_inline int is_extension(__u8 protocol) {
  const __u64 below = protocol < 64 ? EXTENSIONS_BELOW_64 : 0;
  const __u64 known = protocol >> 6 == 2 ? EXTENSIONS_FROM_128 : below;
  return (known >> (protocol & 63)) & 1;
}

// Skips one header; 0 where the search for the transport header ends here.
static __always_inline int skip_extension(struct cursor* cursor, struct packet* packet) {
  const struct extension_header* const header = cursor->at;
  packet->transport = SHORT_EXTENSION;
  if (cursor->at + 8 > cursor->end) return 0;  // each is 8 bytes at least
  __u32 length = (header->length + 1) * 8;
  int later = 0;
  if (packet->protocol == IPPROTO_FRAGMENT) {
    length = 8;
    packet->fragment |= (header->offset & bpf_htons(0xfff9)) != 0;
    later = (header->offset & bpf_htons(0xfff8)) != 0;
  } else if (packet->protocol == IPPROTO_AH) {
    length = (header->length + 2) * 4;
  }
  packet->protocol = header->next;
  cursor->at += length;
  if (cursor->at > cursor->end) return 0;
  packet->transport = later ? LATER_FRAGMENT : DEEP_EXTENSION;
  return !later;
}

static __always_inline enum palang_verdict parse_ip6(struct cursor* cursor, struct packet* packet) {
  const struct ipv6hdr* const ip = cursor->at;
  if ((void*)(ip + 1) > cursor->end) return PALANG_SHORT_IP6;
  if (ip->version != 6) return PALANG_BAD_IP6;
  cursor->at = (void*)(ip + 1);
  const __be32* const from = ip->saddr.in6_u.u6_addr32;
  packet->high = (__u64)bpf_ntohl(from[0]) << 32 | bpf_ntohl(from[1]);
  packet->low = (__u64)bpf_ntohl(from[2]) << 32 | bpf_ntohl(from[3]);
  const __be32* const to = ip->daddr.in6_u.u6_addr32;
  packet->to_high = (__u64)bpf_ntohl(to[0]) << 32 | bpf_ntohl(to[1]);
  packet->to_low = (__u64)bpf_ntohl(to[2]) << 32 | bpf_ntohl(to[3]);
  // A v4-mapped source is never on a wire, and here it would be taken for the IPv4 address.
  if (packet->high == 0 && packet->low >> 32 == 0xffff) return PALANG_BAD_IP6;
  packet->protocol = ip->nexthdr;
#pragma unroll
  for (int i = 0; i < MOST_EXTENSIONS; ++i) {
    if (!is_extension(packet->protocol)) break;
    if (!skip_extension(cursor, packet)) return PALANG_PASS;
  }
  if (!is_extension(packet->protocol)) parse_transport(cursor, packet);
  return PALANG_PASS;
}

// PALANG_PASS: the source is known, and `transport` says what else is. Every other verdict: it can't be read.
static __always_inline enum palang_verdict parse(void* start, void* end, struct packet* packet) {
  struct cursor cursor = {start, end};
  __be16 protocol = 0;
  const enum palang_verdict link = parse_ethernet(&cursor, &protocol);
  if (link != PALANG_PASS) return link;
  packet->network_at = cursor.at - start;
  const enum palang_verdict network =
      protocol == bpf_htons(ETH_P_IP) ? parse_ip4(&cursor, packet) : parse_ip6(&cursor, packet);
  packet->transport_at = cursor.at - start;
  return network;
}

#endif
