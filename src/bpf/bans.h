#ifndef PALANG_BPF_BANS_H
#define PALANG_BPF_BANS_H

// Which ban covers a source.
#include "bpf/hash.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

// Global functions (those not inlined): the verifier looks at each once, not on every path that leads to it. They see
// only numbers, so a ban that was found is named by its place.
#define PLACE_BITS 9
enum place_kind {
  IN_PAGES,  // place: the page above, the slot in the lowest PLACE_BITS
  IN_NETS4,  // place: the length
  IN_NETS6,  // place: the length
  IN_FRESH,
};

static __always_inline __u32 clock_now(const struct palang_settings* settings) {
  return (__u32)(bpf_jiffies64() >> (settings->unit_shift & 31));
}

static __always_inline int is_over(__u32 word, __u32 now) {
  return word >> PALANG_END_SHIFT <= now;
}

// A ban in force is taken: a full one before a quiet one, the longer prefix before the shorter.
static __always_inline void take(struct packet* packet, __u32 word, __u32 now, enum place_kind kind, __u32 place,
                                 __u8 length) {
  if (is_over(word, now)) return;
  const __u32 rank = (word & PALANG_FULL) << 8 | length;
  const __u32 best = (packet->word & PALANG_FULL) << 8 | packet->length;
  if (packet->word != 0 && rank <= best) return;
  packet->word = word;
  packet->kind = kind;
  packet->place = place;
  packet->length = length;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KEY_OF(slot) ((const volatile __u32*)(slot))
#define WORD_OF(slot) ((__u32*)(slot) + 1)
#else
#define KEY_OF(slot) ((const volatile __u32*)(slot) + 1)
#define WORD_OF(slot) ((__u32*)(slot))
#endif

// The slot that names `address`, PALANG_SLOTS if none does. (A free one names 0.0.0.0, with a word that is over.)
static __always_inline __u32 find_slot(const struct palang_bucket* bucket, __u32 address) {
#pragma unroll
  for (__u32 i = 0; i < PALANG_SLOTS; ++i)
    if (*KEY_OF(&bucket->slots[i]) == address) return i;
  return PALANG_SLOTS;
}

static __always_inline struct palang_page* page_at(__u64 table, __u32 at) {
  const __u32 segment = (at / PALANG_SEGMENT_PAGES) + (table & PALANG_SECOND_TABLE ? PALANG_MOST_SEGMENTS : 0);
  void* const pages = bpf_map_lookup_elem(&bans4, &segment);
  if (!pages) return NULL;
  const __u32 within = at % PALANG_SEGMENT_PAGES;
  return bpf_map_lookup_elem(pages, &within);
}

// Answers the word above, the slot below; 0 if there is none. 1 below a word of 0: go on at the next choice.
static __always_inline __u64 search_bucket(__u64 table, __u64 hash, __u32 address) {
  const __u32 at = palang_page_of(hash, (__u32)table);
  const struct palang_page* const page = page_at(table, at);
  if (!page) return 0;
  const __u32 number = palang_bucket_of(hash);
  if (number >= PALANG_BUCKETS) return 0;  // for the verifier
  const struct palang_bucket* const bucket = &page->buckets[number];
  const __u32 slot = find_slot(bucket, address);
  // Its last slot in use: the bucket has been full, so the search goes on at the next choice.
  if (slot >= PALANG_SLOTS) return bucket->slots[PALANG_SLOTS - 1] != 0;
  const __u64 seen = *(const volatile __u64*)&bucket->slots[slot];
  if ((__u32)seen != address) return 0;  // replaced just now
  return (seen & ~0xffffffffULL) | (at << PLACE_BITS | (number * PALANG_SLOTS + slot));
}

// As search_bucket; 1: a ban may have flowed over into nets4.
static __always_inline __u64 search_pages(const struct palang_settings* settings, __u32 address) {
  const __u64 table = *(const volatile __u64*)&settings->table;
  const __u64 hash = palang_hash(address, settings->seed_a, settings->seed_b);
  const __u64 first = search_bucket(table, hash, address);
  if (first != 1) return first;
  const __u64 second = search_bucket(table, palang_second(hash), address);
  if (second != 1) return second;
  return (table & PALANG_OVERFLOWED) != 0;
}

static __always_inline struct palang_ban* ban_of_net4(__u32 address, __u32 length) {
  const __u32 zero = 0;
  void* const table = bpf_map_lookup_elem(&nets4, &zero);
  if (!table) return NULL;
  const struct palang_net4 key = {address & (__u32)(~0ULL << (32 - (length & 63))), length};
  return bpf_map_lookup_elem(table, &key);
}

static __always_inline void search_net4(struct packet* packet, __u32 length, __u32 now) {
  const struct palang_ban* const ban = ban_of_net4((__u32)packet->low, length);
  if (ban) take(packet, ban->word, now, IN_NETS4, length, length);
}

static __always_inline struct palang_ban* ban_of_net6(__u64 high, __u64 low, __u32 length) {
  const __u32 zero = 0;
  void* const table = bpf_map_lookup_elem(&nets6, &zero);
  if (!table) return NULL;
  const __u64 high_mask = length == 0 ? 0 : ~0ULL << (length >= 64 ? 0 : 64 - length);
  const __u64 low_mask = length <= 64 ? 0 : ~0ULL << ((128 - length) & 63);
  const struct palang_net6 key = {high & high_mask, low & low_mask, length, 0};
  return bpf_map_lookup_elem(table, &key);
}

static __always_inline struct palang_ban* ban_of_fresh(const struct packet* packet) {
  const struct palang_source key = {packet->high, packet->low};
  return bpf_map_lookup_elem(&fresh, &key);
}

// All but the pages.
__noinline int search_wide4(struct packet* packet, __u32 now) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || !packet) return 0;
  const struct palang_ban* const made = ban_of_fresh(packet);
  if (made) take(packet, made->word, now, IN_FRESH, 0, 128);
  for (__u32 i = 0; i < PALANG_MOST_LENGTHS4 && i < known->lengths4_count; ++i)
    search_net4(packet, known->lengths4[i], now);
  return 0;
}

static __always_inline void search_net6(struct packet* packet, __u32 length, __u32 now) {
  const struct palang_ban* const ban = ban_of_net6(packet->high, packet->low, length);
  if (ban) take(packet, ban->word, now, IN_NETS6, length, length);
}

// What the gate knows of.
__noinline int search_gated6(struct packet* packet, __u32 now) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || !packet) return 0;
  const struct palang_ban* const made = ban_of_fresh(packet);
  if (made) take(packet, made->word, now, IN_FRESH, 0, 128);
  for (__u32 i = 0; i < PALANG_MOST_LENGTHS6 && i < known->lengths6_count; ++i)
    search_net6(packet, known->lengths6[i], now);
  return 0;
}

__noinline int search_wide6(struct packet* packet, __u32 now) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || !packet) return 0;
  for (__u32 i = 0; i < PALANG_GATED_LENGTH6 && i < known->wide6_count; ++i) search_net6(packet, known->wide6[i], now);
  return 0;
}

static __always_inline int gate_bit(const struct palang_gate4* gate, __u32 address) {
  const __u32 word = address >> 14;  // 64 networks of 8 bits of host; below 2^18 as the gate has words
  return (gate->bits[word & (PALANG_GATE4_BYTES / 8 - 1)] >> (address >> 8 & 63)) & 1;
}

// Where most packets end their search: one bit, before anything else is looked at.
static __always_inline int may_be_banned4(const struct packet* packet) {
  const __u32 zero = 0;
  const struct palang_gate4* const gate = bpf_map_lookup_elem(&gate4, &zero);
  return gate && gate_bit(gate, (__u32)packet->low);
}

// Behind that bit.
static __always_inline void find_ban4(const struct palang_settings* settings, struct packet* packet) {
  const __u32 zero = 0;
  const __u32 address = (__u32)packet->low;
  const __u32 now = clock_now(settings);
  const __u64 found = search_pages(settings, address);
  if (found > 1)
    take(packet, found >> 32, now, IN_PAGES, (__u32)found, 32);
  else if (found == 1)
    search_net4(packet, 32, now);
  if (found > 1 && packet->word == 0) count(PALANG_SAW_EXPIRED);
  if (packet->word & PALANG_FULL) return;
  const struct palang_gate4* const wide = bpf_map_lookup_elem(&wide4, &zero);
  if (wide && gate_bit(wide, address)) search_wide4(packet, now);
}

static __always_inline void find_ban6(const struct palang_settings* settings, struct packet* packet) {
  const __u32 zero = 0;
  const __u32 bit = palang_gate6_bit(packet->high, settings->seed_a, settings->seed_b);
  const struct palang_gate6* const gate = bpf_map_lookup_elem(&gate6, &zero);
  if (!gate) return;
  if ((gate->bits[bit / 64 & (PALANG_GATE6_BYTES / 8 - 1)] >> (bit & 63)) & 1)
    search_gated6(packet, clock_now(settings));
  if (settings->wide6_count != 0) search_wide6(packet, clock_now(settings));
}

// A packet of the banned source moves the end of its ban. Stored only where that gains a sixteenth; if somebody else
// writes the word meanwhile, theirs holds, so that a lifted ban never comes back.
static __always_inline void knock(const struct palang_settings* settings, __u32* word) {
  const __u32 seen = *(volatile __u32*)word;
  const __u32 kind = seen >> PALANG_KNOCK_SHIFT & (PALANG_KNOCKS - 1);
  const __u32 now = clock_now(settings);
  if (kind == 0 || is_over(seen, now)) return;
  const __u32 length = settings->knock_units[kind];
  const __u32 end = now + length;
  if (end >= PALANG_NO_END || end <= (seen >> PALANG_END_SHIFT) + (length >> 4)) return;
  const __u32 moved = end << PALANG_END_SHIFT | (seen & ((1U << PALANG_END_SHIFT) - 1));
  if (__sync_val_compare_and_swap(word, seen, moved) == seen) count(PALANG_SAW_KNOCK);
}

// Not atomic: what two processors count in the same nanoseconds may count once.
static __always_inline void strike_ban(const struct palang_settings* settings, struct palang_ban* ban) {
  if (!ban) return;
  ++ban->hits;
  knock(settings, &ban->word);
}

static __always_inline __u32 weight_of_hit(void) {
  const __u32 zero = 0;
  struct palang_pace* const own = bpf_map_lookup_elem(&pace, &zero);
  if (!own) return 1;
  const __u64 jiffy = bpf_jiffies64();
  if (own->jiffy != jiffy) {
    own->jiffy = jiffy;
    own->hits = 0;
  }
  if (++own->hits <= PALANG_EXACT_HITS) return 1;
  own->random =
      own->random * 6364136223846793005ULL + 1442695040888963407ULL;  // PCG's, at a fifth of the helper's cost
  return own->random >> 33 & (PALANG_SAMPLED_HITS - 1) ? 0 : PALANG_SAMPLED_HITS;
}

static __always_inline void strike_page(const struct palang_settings* settings, const struct packet* packet) {
  struct palang_page* const page = page_at(*(const volatile __u64*)&settings->table, packet->place >> PLACE_BITS);
  __u64 slot = packet->place & ((1U << PLACE_BITS) - 1);
  barrier_var(slot);
  if (!page || slot >= PALANG_PAGE_SLOTS) return;
  // The table may have been replaced since the search.
  __u64* const cell = &page->buckets[0].slots[0] + slot;
  if ((__u32)*cell != (__u32)packet->low) return;
  const __u32 weight = weight_of_hit();
  if (weight != 0) page->hits[slot] += weight;
  knock(settings, WORD_OF(cell));
}

// Its ban has stopped the packet.
__noinline int strike(struct packet* packet) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || !packet) return 0;
  switch (packet->kind) {
    case IN_PAGES: strike_page(known, packet); break;
    case IN_NETS4: strike_ban(known, ban_of_net4((__u32)packet->low, packet->place)); break;
    case IN_NETS6: strike_ban(known, ban_of_net6(packet->high, packet->low, packet->place)); break;
    default: strike_ban(known, ban_of_fresh(packet)); break;
  }
  return 0;
}

#endif
