#ifndef PALANG_BPF_SHORT_WAY_H
#define PALANG_BPF_SHORT_WAY_H

// The way of nearly every IPv4 packet behind the gate, without a call: the ban is in the first of its two buckets, or
// there is none. Whatever takes more is asked of judge(), which begins anew. Floods take this way; a call, with what
// processors do at returns nowadays, costs some 6 ns.
#include "bpf/bans.h"
#include "bpf/replies.h"

#define ASK_JUDGE (-1)

static __always_inline int allow_bit(__u32 address) {
  const __u32 zero = 0;
  const struct palang_allow_hint* const hint = bpf_map_lookup_elem(&allow_hint, &zero);
  return !hint || (hint->bits[address >> 22] >> (address >> 16 & 63)) & 1;
}

static __always_inline int may_be_wide4(__u32 address) {
  const __u32 zero = 0;
  const struct palang_gate4* const wide = bpf_map_lookup_elem(&wide4, &zero);
  return !wide || gate_bit(wide, address);
}

// Whether the destination is this host, not one behind it. A group counts as this host.
static __always_inline int is_for_us(const struct palang_settings* settings, const struct packet* packet) {
  if ((settings->flags & PALANG_KNOWS_OWN) == 0) return 1;
  if (packet->is_v4 && (__u32)packet->to_low == settings->own4) return 1;
  if (packet->is_v4 ? (__u32)packet->to_low >= 0xe0000000 : packet->to_high >> 56 == 0xff) return 1;
  const struct palang_source key = {packet->to_high, packet->to_low};
  return bpf_map_lookup_elem(&own, &key) != NULL;
}

// What a quiet ban leaves alone; ASK_JUDGE where that isn't plain.
static __always_inline int short_quiet(const struct palang_settings* settings, const struct packet* packet) {
  if (may_be_wide4((__u32)packet->low)) return ASK_JUDGE;
  if (has_port(packet->protocol == IPPROTO_TCP ? PALANG_OPEN_TCP : PALANG_OPEN_UDP, packet->port))
    return PALANG_PASS_OPEN_PORT;
  return is_for_us(settings, packet) ? PALANG_DROP_QUIET : PALANG_PASS_FORWARDED;
}

static __always_inline int short_way(const struct palang_settings* settings, const struct packet* packet) {
  const __u32 address = (__u32)packet->low;
  if (packet->transport != PORTS_KNOWN || allow_bit(address)) return ASK_JUDGE;
  const __u64 table = *(const volatile __u64*)&settings->table;
  const __u64 hash = palang_hash(address, settings->seed_a, settings->seed_b);
  struct palang_page* const page = page_at(table, palang_page_of(hash, (__u32)table));
  const __u64 first = palang_bucket_of(hash) * PALANG_SLOTS;
  if (!page || first > PALANG_PAGE_SLOTS - PALANG_SLOTS) return ASK_JUDGE;
  __u64* const slots = &page->buckets[0].slots[0] + first;
  __u32* hits = &page->hits[0] + first;
  barrier_var(hits);  // or the compiler adds the numbers in a way that the verifier can't follow
  const __u64 at = find_slot((const struct palang_bucket*)slots, address);
  if (at >= PALANG_SLOTS) return slots[PALANG_SLOTS - 1] != 0 || may_be_wide4(address) ? ASK_JUDGE : PALANG_PASS;
  const __u32 word = *(volatile __u32*)WORD_OF(&slots[at]);
  if (is_over(word, clock_now(settings)) || may_be_reply(settings, packet)) return ASK_JUDGE;
  const int verdict = word & PALANG_FULL ? PALANG_DROP_FULL : short_quiet(settings, packet);
  if (verdict != PALANG_DROP_FULL && verdict != PALANG_DROP_QUIET) return verdict;
  const __u32 weight = weight_of_hit();
  if (weight != 0) hits[at] += weight;
  knock(settings, WORD_OF(&slots[at]));
  return verdict;
}

#endif
