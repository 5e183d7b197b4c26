#ifndef PALANG_BPF_DECOY_H
#define PALANG_BPF_DECOY_H

// Proof for the closed door. A SYN to a decoy, a closed port, is answered with a SYN cookie; who acknowledges it has
// received it, so the address is truly his. The answer is never longer than what it answers.
#include "bpf/tripwire.h"

// Outside the headers that BPF can include.
#define TCP_LONGEST 60

struct answer_tcp {
  __be16 source;
  __be16 target;
  __be32 sequence;
  __be32 acknowledges;
  __u8 length;
  __u8 flags;
  __be16 window;
  __sum16 check;
  __be16 urgent;
};

struct pseudo_header {
  __be32 from[4];
  __be32 to[4];
  __be32 length;
  __be32 protocol;
};

static __always_inline __sum16 fold(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__sum16)~sum;
}

// A header right behind another, so that both can be turned round as they are.
static __always_inline int is_plain(const struct packet* packet) {
  const __u32 network = packet->transport_at - packet->network_at;
  return network == (packet->is_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) && !packet->fragment;
}

enum decoy_part { NO_DECOY, DECOY_KNOCK, DECOY_PROOF };

static __always_inline enum decoy_part decoy_part_of(const struct palang_settings* settings,
                                                     const struct packet* packet) {
  if ((settings->flags & PALANG_DECOYS) == 0 || packet->protocol != IPPROTO_TCP) return NO_DECOY;
  if (packet->transport != PORTS_KNOWN || !has_port(PALANG_DECOY_TCP, packet->port)) return NO_DECOY;
  if (has_port(PALANG_HEARD_TCP, packet->port) || !is_plain(packet) || !is_single_host(packet)) return NO_DECOY;
  const __u8 flags = packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
  if (flags == TCP_SYN) return DECOY_KNOCK;
  return flags == TCP_ACK ? DECOY_PROOF : NO_DECOY;
}

// The two headers, as the cookie functions take them.
struct decoy_headers {
  union {
    struct iphdr ip4;
    struct ipv6hdr ip6;
  };
  union {
    struct tcphdr tcp;
    struct answer_tcp answer;
    __u8 bytes[TCP_LONGEST];
  };
};

// The length of the TCP header; 0 if it isn't whole.
static __always_inline __u32 load_headers(struct xdp_md* context, const struct packet* packet,
                                          struct decoy_headers* headers) {
  const long network = packet->is_v4
                           ? bpf_xdp_load_bytes(context, packet->network_at, &headers->ip4, sizeof headers->ip4)
                           : bpf_xdp_load_bytes(context, packet->network_at, &headers->ip6, sizeof headers->ip6);
  if (network != 0) return 0;
  if (bpf_xdp_load_bytes(context, packet->transport_at, &headers->tcp, sizeof headers->tcp) != 0) return 0;
  const __u32 length = headers->tcp.doff * 4;
  if (length < sizeof headers->tcp || length > TCP_LONGEST) return 0;
  return bpf_xdp_load_bytes(context, packet->transport_at, headers->bytes, length) == 0 ? length : 0;
}

static __always_inline __sum16 tcp_checksum(const struct packet* packet, struct answer_tcp* tcp) {
  struct pseudo_header pseudo = {.length = bpf_htonl(sizeof *tcp), .protocol = bpf_htonl(IPPROTO_TCP)};
  // From the target to the source; the order of words is nothing to a sum.
  pseudo.from[0] = bpf_htonl((__u32)packet->to_low);
  pseudo.to[0] = bpf_htonl((__u32)packet->low);
  if (!packet->is_v4) {
    pseudo.from[1] = bpf_htonl(packet->to_low >> 32);
    pseudo.from[2] = bpf_htonl((__u32)packet->to_high);
    pseudo.from[3] = bpf_htonl(packet->to_high >> 32);
    pseudo.to[1] = bpf_htonl(packet->low >> 32);
    pseudo.to[2] = bpf_htonl((__u32)packet->high);
    pseudo.to[3] = bpf_htonl(packet->high >> 32);
  }
  const __u32 sum = bpf_csum_diff(NULL, 0, (__be32*)&pseudo, sizeof pseudo, 0);
  return fold(bpf_csum_diff(NULL, 0, (__be32*)tcp, sizeof *tcp, sum));
}

static __always_inline void turn_tcp(const struct packet* packet, struct decoy_headers* headers, __u32 cookie) {
  const __be32 acknowledges = bpf_htonl(bpf_ntohl(headers->tcp.seq) + 1);
  headers->answer = (struct answer_tcp){
      .source = bpf_htons(packet->port),
      .target = bpf_htons(packet->source_port),
      .sequence = bpf_htonl(cookie),
      .acknowledges = acknowledges,
      .length = sizeof(struct answer_tcp) / 4 << 4,
      .flags = TCP_SYN | TCP_ACK,
      .window = bpf_htons(64240),
  };
  headers->answer.check = tcp_checksum(packet, &headers->answer);
}

static __always_inline long store_network(struct xdp_md* context, const struct packet* packet,
                                          struct decoy_headers* headers) {
  const __u8 hops = 64;
  if (!packet->is_v4) {
    const struct in6_addr source = headers->ip6.saddr;
    headers->ip6.saddr = headers->ip6.daddr;
    headers->ip6.daddr = source;
    headers->ip6.payload_len = bpf_htons(sizeof headers->answer);
    headers->ip6.hop_limit = hops;
    return bpf_xdp_store_bytes(context, packet->network_at, &headers->ip6, sizeof headers->ip6);
  }
  const __be32 source = headers->ip4.saddr;
  headers->ip4.saddr = headers->ip4.daddr;
  headers->ip4.daddr = source;
  headers->ip4.tot_len = bpf_htons(sizeof headers->ip4 + sizeof headers->answer);
  headers->ip4.id = 0;
  headers->ip4.frag_off = bpf_htons(0x4000);  // don't fragment
  headers->ip4.ttl = hops;
  headers->ip4.check = 0;
  headers->ip4.check = fold(bpf_csum_diff(NULL, 0, (__be32*)&headers->ip4, sizeof headers->ip4, 0));
  return bpf_xdp_store_bytes(context, packet->network_at, &headers->ip4, sizeof headers->ip4);
}

// Writes the answer over the packet, which ends behind it. 0: it can go back where it came from.
static __always_inline long turn_round(struct xdp_md* context, const struct packet* packet,
                                       struct decoy_headers* headers, __u32 cookie) {
  struct ethhdr ethernet;
  if (bpf_xdp_load_bytes(context, 0, &ethernet, sizeof ethernet) != 0) return -1;
  __u8 source[ETH_ALEN];
  __builtin_memcpy(source, ethernet.h_source, ETH_ALEN);
  __builtin_memcpy(ethernet.h_source, ethernet.h_dest, ETH_ALEN);
  __builtin_memcpy(ethernet.h_dest, source, ETH_ALEN);
  turn_tcp(packet, headers, cookie);
  if (store_network(context, packet, headers) != 0) return -1;
  if (bpf_xdp_store_bytes(context, packet->transport_at, &headers->answer, sizeof headers->answer) != 0) return -1;
  if (bpf_xdp_store_bytes(context, 0, &ethernet, sizeof ethernet) != 0) return -1;
  const int length = (int)(context->data_end - context->data);
  const int wanted = packet->transport_at + (int)sizeof headers->answer;
  return length > wanted ? bpf_xdp_adjust_tail(context, wanted - length) : 0;
}

static __always_inline int may_answer(const struct palang_settings* settings) {
  const __u32 zero = 0;
  struct palang_budget* const spent = bpf_map_lookup_elem(&budget, &zero);
  return spent && spend(&spent->decoys, clock_now(settings), settings->decoys_per_second);
}

// The verdict on a packet to a decoy.
__noinline int answer_decoy(struct xdp_md* context, struct packet* packet, int part) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!features.cookies || !known || !packet || !may_answer(known)) return PALANG_DROP_DECOY;
  struct decoy_headers headers = {};
  __u32 length = load_headers(context, packet, &headers);
  barrier_var(length);  // or the verifier is not shown that both checks are about the same number
  if (length < sizeof headers.tcp || length > TCP_LONGEST) return PALANG_DROP_DECOY;
  if (part == DECOY_PROOF) {
    const long valid = packet->is_v4 ? bpf_tcp_raw_check_syncookie_ipv4(&headers.ip4, &headers.tcp)
                                     : bpf_tcp_raw_check_syncookie_ipv6(&headers.ip6, &headers.tcp);
    if (valid != 0) return PALANG_DROP_DECOY;
    count(PALANG_SAW_PROOF);
    tell(packet, PALANG_PROVEN, 0, 1);
    return PALANG_DROP_DECOY;
  }
  const __s64 cookie = packet->is_v4 ? bpf_tcp_raw_gen_syncookie_ipv4(&headers.ip4, &headers.tcp, length)
                                     : bpf_tcp_raw_gen_syncookie_ipv6(&headers.ip6, &headers.tcp, length);
  if (cookie < 0 || turn_round(context, packet, &headers, (__u32)cookie) != 0) return PALANG_DROP_DECOY;
  return PALANG_ANSWER_DECOY;
}

#endif
