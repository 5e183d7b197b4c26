#ifndef PALANG_BPF_ABI_H
#define PALANG_BPF_ABI_H

// C for the kernel's compiler, too, which wants its constants as macros.
// NOLINTBEGIN(modernize-*)

// What the program in the kernel and the daemon agree upon: the layout of the maps. Plain C, for both compilers.
#include <linux/types.h>

// Maps pinned by a palang with another number are not taken over but built anew.
#define PALANG_ABI 3

// The word of a ban: bit 0: full scope; bits 1 to 3: knock (0: the program never moves the end; else an index into
// palang_settings.knock_units); bits 4 to 31: the end, in units of the kernel's clock. A word of 0 is no ban.
#define PALANG_FULL 1U
#define PALANG_KNOCK_SHIFT 1
#define PALANG_KNOCKS 8U
#define PALANG_END_SHIFT 4
#define PALANG_NO_END 0x0fffffffU

// A slot of a bucket: the IPv4 address (host order) below, the word above. Written with one aligned store.
// What stays in the last slot of a bucket that has been full, so that lookups go on to the second choice: its word is
// not 0, and its end is long past.
#define PALANG_TOMBSTONE (1ULL << (32 + PALANG_KNOCK_SHIFT))

// The table of single IPv4 addresses: pages, in segments of a fixed size, which the kernel looks up without a call. A
// bucket and its counters of hits share a page. The map bans4 has room for two tables: while one is in force, the
// other is filled, and then one store into palang_settings.table puts it in force.
#define PALANG_SLOTS 8U
#define PALANG_BUCKETS 42U
#define PALANG_PAGE_SLOTS (PALANG_SLOTS * PALANG_BUCKETS)

struct palang_bucket {
  __u64 slots[PALANG_SLOTS];
};

struct palang_page {
  struct palang_bucket buckets[PALANG_BUCKETS];
  __u32 hits[PALANG_PAGE_SLOTS];
  __u8 unused[64];
};

#define PALANG_SEGMENT_PAGES 64U
#define PALANG_MOST_SEGMENTS 2048U

// palang_settings.table: the number of pages below, and
#define PALANG_SECOND_TABLE (1ULL << 63)  // the segments are those from PALANG_MOST_SEGMENTS on
#define PALANG_OVERFLOWED (1ULL << 62)    // single addresses are in nets4, too, as both their buckets were full

// Every other prefix length: hash maps, one key for all lengths.
struct palang_net4 {
  __u32 address;  // host order, host bits cleared
  __u32 length;
};

struct palang_net6 {
  __u64 high;  // host order, host bits cleared
  __u64 low;
  __u32 length;
  __u32 zero;
};

// A source, IPv4 in its v4-mapped form.
struct palang_source {
  __u64 high;
  __u64 low;
};

struct palang_ban {
  __u32 word;
  __u32 hits;  // packets stopped
};

// What is allowed: a longest-prefix trie over the v4-mapped form.
struct palang_allow_key {
  __u32 length;  // 0 to 128
  __u8 address[16];
};

// One bit per IPv4 /24: a ban is in it or covers it. The same for bans that are not in the pages.
#define PALANG_GATE4_BYTES (1U << 21)
// One bit per hash of an IPv6 /48.
#define PALANG_GATE6_BYTES (1U << 20)

struct palang_gate4 {
  __u64 bits[PALANG_GATE4_BYTES / 8];
};
struct palang_gate6 {
  __u64 bits[PALANG_GATE6_BYTES / 8];
};

// One bit per IPv4 /16: something in it is allowed, or it is within what is. Spares most banned packets the trie.
struct palang_allow_hint {
  __u64 bits[65536 / 64];
};

// One bit per port.
enum palang_ports {
  PALANG_OPEN_TCP,  // open to the public
  PALANG_OPEN_UDP,
  PALANG_HEARD_TCP,  // somebody listens, or it is forwarded, or it is not the tripwire's business
  PALANG_HEARD_UDP,
  PALANG_DECOY_TCP,
  PALANG_PORT_SETS,
};

struct palang_port_set {
  __u64 bits[65536 / 64];
};

#define PALANG_MOST_LENGTHS4 32U
#define PALANG_MOST_LENGTHS6 81U
#define PALANG_GATED_LENGTH6 48U

// palang_settings.flags
#define PALANG_TRIPWIRE 1U
#define PALANG_DECOYS 2U
#define PALANG_KNOWS_OWN 4U  // the map `own` holds all addresses of this host; else every destination counts as one

// The lists of lengths only ever grow, so that no reader misses one. All numbers may change at any time.
struct palang_settings {
  __u64 seed_a;  // odd
  __u64 seed_b;
  __u64 table;  // of single IPv4 addresses, see above
  __u32 abi;
  __u32 flags;
  __u32 unit_shift;      // one unit of the clock is 1 << unit_shift jiffies
  __u32 lengths4_count;  // of IPv4 prefixes in nets4 other than 32
  __u32 lengths6_count;  // of IPv6 prefixes in nets6 that are in the gate: /48 and longer
  __u32 wide6_count;     // shorter ones
  __u16 ephemeral_from;  // local ports of connections that this host opens
  __u16 ephemeral_to;
  __u32 knock_units[PALANG_KNOCKS];  // how far from now a knock moves the end
  // Tripwire.
  __u32 trip_after;          // packets
  __u32 trip_units;          // within; at most 65,535
  __u32 trip_ban_units;      // length of the ban
  __u32 trip_knock;          // its knock
  __u32 trips_per_second;    // what touches the tripwire beyond that is dropped at once
  __u32 answers_per_second;  // of what is counted, so many go on to be refused by the system, the rest is dropped
  __u32 bans_per_second;     // most that the program makes
  __u32 bans_per_network;    // of those, in one IPv4 /24 or IPv6 /48
  __u32 decoys_per_second;   // SYNs answered
  __u32 hz;
  __u32 own4;  // one of this host's addresses, the one that most packets are for; 0: none
  __u8 lengths4[PALANG_MOST_LENGTHS4];
  __u8 lengths6[PALANG_MOST_LENGTHS6];
  __u8 wide6[PALANG_GATED_LENGTH6];
};

// Hits of single IPv4 addresses are counted one by one up to so many per jiffy and processor. In a flood, one in so
// many is, with that weight: the counter of a ban is another cache line, and that miss would be a third of the whole
// cost.
#define PALANG_EXACT_HITS 64U
#define PALANG_SAMPLED_HITS 32U
struct palang_pace {
  __u64 jiffy;
  __u64 hits;
  __u64 random;
};

// What the kernel offers beyond the least that is needed; the only thing in .rodata. Set by the loader before the
// program is loaded, so that the verifier leaves out what is off.
struct palang_features {
  __u8 conntrack;  // lookups in the connection tracking
  __u8 cookies;    // SYN cookies made and checked by XDP
};

// What palang_clock answers.
struct palang_clock {
  __u64 jiffies;
};

// Sources that touched the tripwire: sets of four; the one seen longest ago gives way.
#define PALANG_TRACKED_WAYS 4U
#define PALANG_TRACKED_SETS 16384U

struct palang_tracked {
  __u64 source;  // hash
  __u32 since;   // clock units; 0: free
  __u16 last;    // units after `since`
  __u16 count;
};

struct palang_tracked_set {
  struct palang_tracked ways[PALANG_TRACKED_WAYS];
};

// Budgets, renewed each second.
#define PALANG_BUDGET_NETWORKS 4096U
struct palang_budget {
  __u64 made;  // bans that the program ever put into the map `fresh`
  __u64 bans;  // the second above, what was spent in it below
  __u64 trips;
  __u64 answers;
  __u64 decoys;
  __u64 networks[PALANG_BUDGET_NETWORKS];
};

enum palang_event_kind {
  PALANG_TRIPPED,  // banned by the program: `count` packets to ports on which nobody listens
  PALANG_PROVEN,   // completed a handshake with a decoy
};

struct palang_event {
  struct palang_source source;
  __u64 jiffies;
  __u32 word;  // of the ban that the program made; 0: none
  __u16 kind;
  __u16 port;  // the last one tried
  __u16 count;
  __u8 protocol;  // IPPROTO_TCP, IPPROTO_UDP
  __u8 zero;
  __u32 zeros;
};

#define PALANG_EVENT_BYTES (1U << 20)
#define PALANG_FRESH_BANS 16384U
#define PALANG_MOST_ALLOWED 65536U
#define PALANG_MOST_OWN 4096U

// What became of a packet: each verdict has a counter per CPU. First those that pass because the packet can't be read.
enum palang_verdict {
  PALANG_NOT_IP,
  PALANG_SHORT_ETHERNET,
  PALANG_SHORT_VLAN,
  PALANG_DEEP_VLAN,
  PALANG_SHORT_IP4,
  PALANG_BAD_IP4,
  PALANG_SHORT_IP4_OPTIONS,
  PALANG_SHORT_IP6,
  PALANG_BAD_IP6,
  // Pass.
  PALANG_PASS,                  // not banned
  PALANG_PASS_UNSETTLED,        // settings or tables are not there yet
  PALANG_PASS_ALLOWED,          // banned and allowed: the allowlist wins
  PALANG_PASS_OPEN_PORT,        // a quiet ban leaves ports alone that are open to the public
  PALANG_PASS_REPLY,            // of a banned peer, to a connection that this host opened
  PALANG_PASS_FRAGMENT,         // a later fragment under a quiet ban: the first one is judged by its port
  PALANG_PASS_FORWARDED,        // a quiet ban is about this host alone
  PALANG_PASS_NEIGHBOUR,        // IPv6 neighbour discovery
  PALANG_PASS_SHORT_TRANSPORT,  // under a quiet ban, and its port can't be read
  PALANG_PASS_SHORT_EXTENSION,
  PALANG_PASS_DEEP_EXTENSION,
  // Drop.
  PALANG_DROP_FULL,
  PALANG_DROP_QUIET,
  PALANG_DROP_FLOOD,  // touches the tripwire while many others do
  PALANG_DROP_DECOY,  // to a decoy, beyond what is answered
  // Answer.
  PALANG_ANSWER_DECOY,
  // What happened on the way; the packet has a verdict of its own.
  PALANG_SAW_EXPIRED,        // a ban whose end is past
  PALANG_SAW_KNOCK,          // an end was moved
  PALANG_SAW_TRIP,           // a packet touched the tripwire
  PALANG_SAW_TRIP_EVICTION,  // a tracked source gave way to another
  PALANG_SAW_TRIP_BAN,
  PALANG_SAW_TRIP_SPARED,  // over the threshold, but the budget of bans is spent
  PALANG_SAW_TRIP_FULL,    // over the threshold, but the map of fresh bans is full
  PALANG_SAW_PROOF,        // a handshake with a decoy was completed
  PALANG_SAW_LOST_EVENT,   // the ring buffer was full
  PALANG_VERDICTS,
};

// NOLINTEND(modernize-*)

#endif
