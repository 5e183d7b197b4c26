// Ways to judge a packet, each behind the same loop: every run takes the next source from an array and writes it into
// the packet, so that BPF_PROG_TEST_RUN sees changing sources. The loop's own cost is that of `empty`.
#include "bpf/verdict.h"

#define MOST_SOURCES (1U << 22)

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, MOST_SOURCES);
  __type(key, __u32);
  __type(value, __u64);
} sources SEC(".maps");

struct turn {
  __u32 next;
  __u32 mask;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct turn);
} turns SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1U << 21);
  __type(key, __u32);
  __type(value, __u64);
} plain_hash SEC(".maps");

struct lpm_key {
  __u32 length;
  __be32 address;
};
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1U << 21);
  __type(key, struct lpm_key);
  __type(value, __u64);
} lpm SEC(".maps");

static __always_inline int take_turn(struct xdp_md* context) {
  const __u32 zero = 0;
  struct turn* const turn = bpf_map_lookup_elem(&turns, &zero);
  if (!turn) return 0;
  const __u32 at = turn->next & turn->mask;
  const __u64* const source = bpf_map_lookup_elem(&sources, &at);
  struct iphdr* const ip = (void*)(long)context->data + sizeof(struct ethhdr);
  struct tcphdr* const tcp = (void*)(ip + 1);
  if (!source || (void*)(tcp + 1) > (void*)(long)context->data_end) return 0;
  ++turn->next;
  ip->saddr = (__be32)*source;
  ip->check = (__be16)(*source >> 32);
  tcp->check = (__be16)(*source >> 48);
  return 1;
}

SEC("xdp")
int empty(struct xdp_md* context) {
  take_turn(context);
  return XDP_DROP;
}

SEC("xdp")
int parse_only(struct xdp_md* context) {
  take_turn(context);
  struct packet packet = {};
  const int verdict = parse((void*)(long)context->data, (void*)(long)context->data_end, &packet);
  count(verdict + (packet.low & 1));
  return XDP_DROP;
}

SEC("xdp")
int gate(struct xdp_md* context) {
  take_turn(context);
  const int verdict = verdict_on(context, HOOK_XDP, (void*)(long)context->data, (void*)(long)context->data_end);
  count(verdict);
  return drops(verdict) ? XDP_DROP : XDP_PASS;
}

// For the ways behind it: nftables, ipset.
SEC("xdp")
int pass(struct xdp_md* context) {
  take_turn(context);
  return XDP_PASS;
}

SEC("xdp")
int hash(struct xdp_md* context) {
  take_turn(context);
  struct packet packet = {};
  const int verdict = parse((void*)(long)context->data, (void*)(long)context->data_end, &packet);
  const __u32 key = packet.low;
  const __u64* const end = bpf_map_lookup_elem(&plain_hash, &key);
  count(verdict);
  return end && *end > bpf_jiffies64() ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int trie(struct xdp_md* context) {
  take_turn(context);
  struct packet packet = {};
  const int verdict = parse((void*)(long)context->data, (void*)(long)context->data_end, &packet);
  const struct lpm_key key = {32, bpf_htonl((__u32)packet.low)};
  const __u64* const end = bpf_map_lookup_elem(&lpm, &key);
  count(verdict);
  return end && *end > bpf_jiffies64() ? XDP_DROP : XDP_PASS;
}

char bench_license[] SEC("license") = "GPL";
