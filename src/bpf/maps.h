#ifndef PALANG_BPF_MAPS_H
#define PALANG_BPF_MAPS_H

#include <linux/bpf.h>
// Behind linux/bpf.h, which it needs.
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

// Arrays that the daemon maps into its memory have BPF_F_MMAPABLE. Those that grow are behind an array of maps of one
// element, or with two places for each: the daemon fills a larger one and then puts it in place. (Sizes instead of
// types: clang forgets types that stand behind two pointers.)

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_settings);
} settings SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_gate4);
} gate4 SEC(".maps"), wide4 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_gate6);
} gate6 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, PALANG_PORT_SETS);
  __type(key, __u32);
  __type(value, struct palang_port_set);
} ports SEC(".maps");

struct segment {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, PALANG_SEGMENT_PAGES);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(struct palang_page));
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 2 * PALANG_MOST_SEGMENTS);
  __type(key, __u32);
  __array(values, struct segment);
} bans4 SEC(".maps");

struct nets4_table {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(struct palang_net4));
  __uint(value_size, sizeof(struct palang_ban));
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct nets4_table);
} nets4 SEC(".maps");

struct nets6_table {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(struct palang_net6));
  __uint(value_size, sizeof(struct palang_ban));
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct nets6_table);
} nets6 SEC(".maps");

// Bans that the program made, until the daemon has moved them.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, PALANG_FRESH_BANS);
  __type(key, struct palang_source);
  __type(value, struct palang_ban);
} fresh SEC(".maps");

// The value is the end in units of the clock.
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, PALANG_MOST_ALLOWED);
  __type(key, struct palang_allow_key);
  __type(value, __u32);
} allow SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_allow_hint);
} allow_hint SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, PALANG_MOST_OWN);
  __type(key, struct palang_source);
  __type(value, __u32);
} own SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PALANG_TRACKED_SETS);
  __type(key, __u32);
  __type(value, struct palang_tracked_set);
} tracked SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_budget);
} budget SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, PALANG_VERDICTS);
  __type(key, __u32);
  __type(value, __u64);
} verdicts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, PALANG_EVENT_BYTES);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct palang_pace);
} pace SEC(".maps");

const volatile struct palang_features features = {};

static __always_inline void count(__u32 verdict) {
  __u64* const counter = bpf_map_lookup_elem(&verdicts, &verdict);
  if (counter) ++*counter;
}

#endif
