#ifndef PALANG_BPF_TRIPWIRE_H
#define PALANG_BPF_TRIPWIRE_H

// Packets to ports on which nobody listens, counted per source; whoever has sent enough is banned here and now, and
// the daemon is told. Nothing that a stranger can fill matters: sources give way to one another, bans have a budget.
#include "bpf/bans.h"
#include "bpf/replies.h"

static __always_inline int is_single_host(const struct packet* packet) {
  if (packet->is_v4) {
    const __u8 source = (__u8)(packet->low >> 24);
    return source != 0 && source != 127 && source < 224;
  }
  // Not unspecified, loopback or other odd ones; not link-local, not a group.
  return packet->high >> 48 != 0 && packet->high >> 54 != 0x3fa && packet->high >> 56 != 0xff;
}

static __always_inline int is_to_group(const struct packet* packet) {
  return packet->is_v4 ? (__u32)packet->to_low >= 0xe0000000 : packet->to_high >> 56 == 0xff;
}

// A request, not an answer to one of ours: late answers and backscatter come to ephemeral ports or without a lone SYN.
static __always_inline int is_request(const struct palang_settings* settings, const struct packet* packet) {
  if (packet->transport != PORTS_KNOWN || packet->fragment) return 0;
  if (packet->protocol == IPPROTO_TCP) return (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
  return packet->port < settings->ephemeral_from || packet->port > settings->ephemeral_to;
}

static __always_inline int touches_tripwire(const struct palang_settings* settings, const struct packet* packet) {
  if ((settings->flags & PALANG_TRIPWIRE) == 0 || !is_request(settings, packet)) return 0;
  if (has_port(packet->protocol == IPPROTO_TCP ? PALANG_HEARD_TCP : PALANG_HEARD_UDP, packet->port)) return 0;
  return is_single_host(packet) && !is_to_group(packet);
}

static __always_inline __u32 seen_at(const struct palang_tracked* way) {
  return way->since + way->last;
}

// The place of the source among the tracked: its own, a free one, or that of the one seen longest ago.
static __always_inline struct palang_tracked* track(struct palang_tracked_set* set, __u64 source) {
  struct palang_tracked* oldest = &set->ways[0];
#pragma unroll
  for (__u32 i = 0; i < PALANG_TRACKED_WAYS; ++i) {
    struct palang_tracked* const way = &set->ways[i];
    if (way->source == source) return way;
    if (seen_at(way) < seen_at(oldest)) oldest = way;
  }
  if (oldest->since != 0) count(PALANG_SAW_TRIP_EVICTION);
  oldest->since = 0;
  oldest->last = 0;
  oldest->count = 0;
  oldest->source = source;
  return oldest;
}

// How many packets of the source were counted within the window, this one included. Two processors that count for one
// source at once may lose one.
__noinline int note_trip(struct packet* packet) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || !packet) return 0;
  const __u64 source = palang_hash_words(packet->high, packet->low, known->seed_a, known->seed_b) | 1;
  const __u32 at = source >> 40 & (PALANG_TRACKED_SETS - 1);
  struct palang_tracked_set* const set = bpf_map_lookup_elem(&tracked, &at);
  if (!set) return 0;
  struct palang_tracked* const way = track(set, source);
  const __u32 now = clock_now(known);
  if (way->since == 0 || now - way->since > known->trip_units) {
    way->since = now;
    way->count = 0;
  }
  way->last = now - way->since;
  if (way->count < 0xffff) ++way->count;
  count(PALANG_SAW_TRIP);
  packet->tripped = way->count >= known->trip_after;
  return way->count;
}

// Takes one from a budget that is renewed with every unit of the clock.
static __always_inline int spend(__u64* budget, __u32 now, __u32 limit) {
#pragma unroll
  for (int tries = 0; tries < 3; ++tries) {
    const __u64 seen = *(volatile __u64*)budget;
    const __u64 spent = seen >> 32 == now ? (__u32)seen : 0;
    if (spent >= limit) return 0;
    if (__sync_val_compare_and_swap(budget, seen, (__u64)now << 32 | (spent + 1)) == seen) return 1;
  }
  return 0;  // more processors at once than the budget is worth
}

// Whether a budget is used up, without a write.
static __always_inline int is_spent(const __u64* budget, __u32 now, __u32 limit) {
  const __u64 seen = *(const volatile __u64*)budget;
  return limit == 0 || (seen >> 32 == now && (__u32)seen >= limit);
}

static __always_inline int may_ban(const struct palang_settings* settings, const struct packet* packet,
                                   struct palang_budget* spent, __u32 now) {
  const __u64 network = packet->is_v4 ? packet->low >> 8 : packet->high >> 16;
  const __u64 at = palang_hash(network, settings->seed_a, settings->seed_b) >> 40 & (PALANG_BUDGET_NETWORKS - 1);
  return spend(&spent->networks[at], now, settings->bans_per_network) &&
         spend(&spent->bans, now, settings->bans_per_second);
}

// First the ban, then the bits before it: so the daemon, which tidies the bits up, never loses it.
static __always_inline void open_gate_to(const struct palang_settings* settings, const struct packet* packet) {
  const __u32 zero = 0;
  if (packet->is_v4) {
    const __u32 address = (__u32)packet->low;
    const __u32 word = address >> 14 & (PALANG_GATE4_BYTES / 8 - 1);
    struct palang_gate4* const gate = bpf_map_lookup_elem(&gate4, &zero);
    struct palang_gate4* const wide = bpf_map_lookup_elem(&wide4, &zero);
    if (!gate || !wide) return;
    __sync_fetch_and_or(&wide->bits[word], 1ULL << (address >> 8 & 63));
    __sync_fetch_and_or(&gate->bits[word], 1ULL << (address >> 8 & 63));
  } else {
    const __u32 bit = palang_gate6_bit(packet->high, settings->seed_a, settings->seed_b);
    struct palang_gate6* const gate = bpf_map_lookup_elem(&gate6, &zero);
    if (gate) __sync_fetch_and_or(&gate->bits[bit / 64 & (PALANG_GATE6_BYTES / 8 - 1)], 1ULL << (bit & 63));
  }
}

static __always_inline void tell(const struct packet* packet, __u16 kind, __u32 word, __u16 packets) {
  struct palang_event* const event = bpf_ringbuf_reserve(&events, sizeof *event, 0);
  if (!event) {
    count(PALANG_SAW_LOST_EVENT);
    return;
  }
  __builtin_memset(event, 0, sizeof *event);
  event->source.high = packet->high;
  event->source.low = packet->low;
  event->jiffies = bpf_jiffies64();
  event->word = word;
  event->kind = kind;
  event->port = packet->port;
  event->count = packets;
  event->protocol = packet->protocol;
  bpf_ringbuf_submit(event, 0);
}

// Bans the source quietly and tells the daemon.
__noinline int ban_tripped(struct packet* packet, int packets) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  struct palang_budget* const spent = bpf_map_lookup_elem(&budget, &zero);
  if (!known || !spent || !packet) return 0;
  const __u32 now = clock_now(known);
  if (!may_ban(known, packet, spent, now)) {
    count(PALANG_SAW_TRIP_SPARED);
    return 0;
  }
  const struct palang_source key = {packet->high, packet->low};
  const struct palang_ban ban = {(now + known->trip_ban_units) << PALANG_END_SHIFT |
                                     (known->trip_knock & (PALANG_KNOCKS - 1)) << PALANG_KNOCK_SHIFT,
                                 0};
  if (bpf_map_update_elem(&fresh, &key, &ban, BPF_NOEXIST) == 0) {
    __sync_fetch_and_add(&spent->made, 1);
  } else if (bpf_map_update_elem(&fresh, &key, &ban, BPF_EXIST) != 0) {  // there, but over
    count(PALANG_SAW_TRIP_FULL);
    return 0;
  }
  open_gate_to(known, packet);
  count(PALANG_SAW_TRIP_BAN);
  tell(packet, PALANG_TRIPPED, ban.word, (__u16)packets);
  return 0;
}

// Somebody listens after all: the bitmap is as old as the daemon's last look. A lookup costs more than all else here
// together, and comes only before a ban.
static __always_inline int is_heard(void* context, const struct packet* packet) {
  struct bpf_sock_tuple tuple = {};
  const __u32 size = tuple_of(packet, &tuple);
  struct bpf_sock* socket = NULL;
  const int tcp = packet->protocol == IPPROTO_TCP;
  if (size == sizeof tuple.ipv4)
    socket = tcp ? bpf_skc_lookup_tcp(context, &tuple, sizeof tuple.ipv4, ANY_NETNS_OF_DEVICE, 0)
                 : bpf_sk_lookup_udp(context, &tuple, sizeof tuple.ipv4, ANY_NETNS_OF_DEVICE, 0);
  else
    socket = tcp ? bpf_skc_lookup_tcp(context, &tuple, sizeof tuple.ipv6, ANY_NETNS_OF_DEVICE, 0)
                 : bpf_sk_lookup_udp(context, &tuple, sizeof tuple.ipv6, ANY_NETNS_OF_DEVICE, 0);
  if (!socket) return 0;
  bpf_sk_release(socket);
  return 1;
}

#endif
