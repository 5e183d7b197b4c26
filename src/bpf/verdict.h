#ifndef PALANG_BPF_VERDICT_H
#define PALANG_BPF_VERDICT_H

#include "bpf/bans.h"
#include "bpf/decoy.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/replies.h"
#include "bpf/short_way.h"
#include "bpf/tripwire.h"

static __always_inline int is_allowed(const struct palang_settings* settings, const struct packet* packet) {
  if (packet->is_v4 && !allow_bit((__u32)packet->low)) return 0;
  struct palang_allow_key key = {.length = 128};
  const __be32 words[4] = {bpf_htonl(packet->high >> 32), bpf_htonl(packet->high), bpf_htonl(packet->low >> 32),
                           bpf_htonl(packet->low)};
  __builtin_memcpy(key.address, words, sizeof words);
  const __u32* const end = bpf_map_lookup_elem(&allow, &key);
  return end && *end > clock_now(settings);
}

static __always_inline int is_neighbour_discovery(const struct packet* packet) {
  return packet->protocol == IPPROTO_ICMPV6 && packet->transport == NO_PORTS && packet->icmp_type >= 133 &&
         packet->icmp_type <= 137;
}

// Where a quiet ban doesn't reach; PALANG_DROP_QUIET where it does.
static __always_inline enum palang_verdict judge_quiet(const struct palang_settings* settings,
                                                       const struct packet* packet) {
  switch (packet->transport) {
    case PORTS_KNOWN:
      if (has_port(packet->protocol == IPPROTO_TCP ? PALANG_OPEN_TCP : PALANG_OPEN_UDP, packet->port))
        return PALANG_PASS_OPEN_PORT;
      break;
    case LATER_FRAGMENT: return PALANG_PASS_FRAGMENT;
    case SHORT_TRANSPORT: return PALANG_PASS_SHORT_TRANSPORT;
    case SHORT_EXTENSION: return PALANG_PASS_SHORT_EXTENSION;
    case DEEP_EXTENSION: return PALANG_PASS_DEEP_EXTENSION;
    default: break;
  }
  return is_for_us(settings, packet) ? PALANG_DROP_QUIET : PALANG_PASS_FORWARDED;
}

// Only where a packet would be dropped: whether it may belong to a connection of our own, which takes the context.
#define MAY_BE_REPLY 0x100

// The allowlist comes first in rank; it is asked only where a ban would stop the packet, so that nobody else pays.
static __always_inline int judge_banned(const struct palang_settings* settings, const struct packet* packet) {
  enum palang_verdict verdict = PALANG_DROP_FULL;
  if ((packet->word & PALANG_FULL) == 0) {
    verdict = judge_quiet(settings, packet);
    if (verdict != PALANG_DROP_QUIET) return verdict;
  }
  if (is_neighbour_discovery(packet)) return PALANG_PASS_NEIGHBOUR;
  if (is_allowed(settings, packet)) return PALANG_PASS_ALLOWED;
  if (is_icmp_reply(packet)) return PALANG_PASS_REPLY;
  return may_be_reply(settings, packet) ? verdict | MAY_BE_REPLY : (int)verdict;
}

// A verdict, perhaps with MAY_BE_REPLY.
__noinline int judge(struct packet* packet) {
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!packet || !known || known->abi != PALANG_ABI) return PALANG_PASS_UNSETTLED;
  if (packet->is_v4)
    find_ban4(known, packet);
  else
    find_ban6(known, packet);
  return packet->word != 0 ? judge_banned(known, packet) : PALANG_PASS;
}

static __always_inline int drops(int verdict) {
  return verdict >= PALANG_DROP_FULL && verdict <= PALANG_DROP_DECOY;
}

// Of a packet that no ban stops: whether it is for a decoy. Only XDP can send it back.
static __always_inline int decoy_verdict(void* context, enum hook hook, const struct palang_settings* settings,
                                         struct packet* packet) {
  if (hook != HOOK_XDP || !features.cookies) return PALANG_PASS;
  const enum decoy_part part = decoy_part_of(settings, packet);
  if (part == NO_DECOY || !is_for_us(settings, packet) || is_allowed(settings, packet)) return PALANG_PASS;
  return answer_decoy(context, packet, part);
}

// For this host, for a port that nobody listens on, and from somebody who isn't allowed.
static __always_inline int is_trip(const struct palang_settings* settings, const struct packet* packet) {
  return touches_tripwire(settings, packet) && is_for_us(settings, packet) && !is_allowed(settings, packet);
}

// More touches the tripwire than is counted. That is judged before anything else: most sources are forged then, and to
// look each of them up costs more than the rest.
static __always_inline int is_flood(const struct palang_settings* settings, const struct packet* packet) {
  const __u32 zero = 0;
  const struct palang_budget* const spent = bpf_map_lookup_elem(&budget, &zero);
  if (!spent || !is_spent(&spent->trips, clock_now(settings), settings->trips_per_second)) return 0;
  return decoy_part_of(settings, packet) == NO_DECOY && is_trip(settings, packet);
}

// Of a packet that no ban stops: whether it touches the tripwire. To refuse one costs the system as much as twenty that
// are dropped here, so it gets few of them.
static __always_inline int watched_verdict(void* context, const struct palang_settings* settings,
                                           struct packet* packet) {
  const __u32 zero = 0;
  if (!is_trip(settings, packet)) return PALANG_PASS;
  struct palang_budget* const spent = bpf_map_lookup_elem(&budget, &zero);
  if (!spent || !spend(&spent->trips, clock_now(settings), settings->trips_per_second)) return PALANG_DROP_FLOOD;
  const int packets = note_trip(packet);
  if (packet->tripped) {
    if (is_heard(context, packet)) return PALANG_PASS;
    ban_tripped(packet, packets);
  }
  return spend(&spent->answers, clock_now(settings), settings->answers_per_second) ? PALANG_PASS : PALANG_DROP_FLOOD;
}

static __always_inline int banned_verdict(void* context, enum hook hook, const struct palang_settings* settings,
                                          struct packet* packet) {
  if (packet->is_v4) {
    if (!may_be_banned4(packet)) return PALANG_PASS;
    const int verdict = short_way(settings, packet);
    if (verdict != ASK_JUDGE) return verdict;
  }
  int verdict = judge(packet);
  if (verdict & MAY_BE_REPLY) {
    if (is_reply(context, hook, packet)) return PALANG_PASS_REPLY;
    verdict &= ~MAY_BE_REPLY;
  }
  if (drops(verdict)) strike(packet);
  return verdict;
}

static __always_inline int verdict_on(void* context, enum hook hook, void* start, void* end) {
  struct packet packet = {};
  const int parsed = parse(start, end, &packet);
  if (parsed != PALANG_PASS) return parsed;
  const __u32 zero = 0;
  const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
  if (!known || known->abi != PALANG_ABI) return PALANG_PASS_UNSETTLED;
  if ((known->flags & PALANG_TRIPWIRE) && is_flood(known, &packet)) return PALANG_DROP_FLOOD;
  int verdict = banned_verdict(context, hook, known, &packet);
  if (verdict != PALANG_PASS || known->flags == 0) return verdict;
  verdict = decoy_verdict(context, hook, known, &packet);
  return verdict == PALANG_PASS ? watched_verdict(context, known, &packet) : verdict;
}

#endif
