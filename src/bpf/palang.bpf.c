// The gate in the driver: drops what banned sources send, before the network stack sees it.
//
// maps.h: what it shares with the daemon; parse.h: bytes to addresses and ports; bans.h: which ban covers a source;
// replies.h: connections that this host opened; verdict.h: what becomes of the packet.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
// Behind linux/bpf.h, which it needs.
#include <bpf/bpf_helpers.h>

#include "bpf/verdict.h"

SEC("xdp")
int palang_xdp(struct xdp_md* context) {
  const int verdict = verdict_on(context, HOOK_XDP, (void*)(long)context->data, (void*)(long)context->data_end);
  count(verdict);
  if (verdict == PALANG_ANSWER_DECOY) return XDP_TX;
  return drops(verdict) ? XDP_DROP : XDP_PASS;
}

// Where no XDP can be had. Headers may lie outside the linear part.
SEC("tc")
int palang_tc(struct __sk_buff* context) {
  const __u32 headers = 192;
  bpf_skb_pull_data(context, context->len < headers ? context->len : headers);
  const int verdict = verdict_on(context, HOOK_TC, (void*)(long)context->data, (void*)(long)context->data_end);
  count(verdict);
  return drops(verdict) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

// The kernel's clock, for the daemon: run by BPF_PROG_TEST_RUN.
SEC("syscall")
int palang_clock(struct palang_clock* reading) {
  reading->jiffies = bpf_jiffies64();
  return 0;
}

char palang_license[] SEC("license") = "GPL";
