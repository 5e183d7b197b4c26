#ifndef PALANG_BPF_VERDICT_H
#define PALANG_BPF_VERDICT_H

#include "bpf/bans.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/replies.h"
#include "bpf/short_way.h"

static __always_inline int is_allowed(const struct palang_settings* settings, const struct packet* packet) {
  if (packet->is_v4 && !allow_bit((__u32)packet->low)) return 0;
  struct palang_allow_key key = {.length = 128};
  const __be32 words[4] = {bpf_htonl(packet->high >> 32), bpf_htonl(packet->high), bpf_htonl(packet->low >> 32),
                           bpf_htonl(packet->low)};
  __builtin_memcpy(key.address, words, sizeof words);
  const __u32* const end = bpf_map_lookup_elem(&allow, &key);
  return end && *end > clock_now(settings);
}

// Whether the destination is this host, not one behind it. A group counts as this host.
static __always_inline int is_for_us(const struct palang_settings* settings, const struct packet* packet) {
  if ((settings->flags & PALANG_KNOWS_OWN) == 0) return 1;
  if (packet->is_v4 ? (__u32)packet->to_low >= 0xe0000000 : packet->to_high >> 56 == 0xff) return 1;
  const struct palang_source key = {packet->to_high, packet->to_low};
  return bpf_map_lookup_elem(&own, &key) != NULL;
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

static __always_inline int verdict_on(void* context, enum hook hook, void* start, void* end) {
  struct packet packet = {};
  const int parsed = parse(start, end, &packet);
  if (parsed != PALANG_PASS) return parsed;
  if (packet.is_v4) {
    if (!may_be_banned4(&packet)) return PALANG_PASS;
    const __u32 zero = 0;
    const struct palang_settings* const known = bpf_map_lookup_elem(&settings, &zero);
    const int short_verdict = known ? short_way(known, &packet) : ASK_JUDGE;
    if (short_verdict != ASK_JUDGE) return short_verdict;
  }
  int verdict = judge(&packet);
  if (verdict & MAY_BE_REPLY) {
    if (is_reply(context, hook, &packet)) return PALANG_PASS_REPLY;
    verdict &= ~MAY_BE_REPLY;
  }
  if (drops(verdict)) strike(&packet);
  return verdict;
}

#endif
