#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace palang {

// How much the ledger keeps and how patient it is.
struct LedgerLimits {
  uint64_t evidence_rows = 2'000'000;  // the oldest go first; about 350 bytes each
  uint32_t evidence_per_source = 100;  // likewise, of one IPv4 address or IPv6 /64; a few more for a while
  uint64_t history_rows = 2'000'000;   // ended decisions; the oldest go first
  Duration keep = one_day * 90;        // history and evidence older than this go (never before `remember`)
  uint64_t queue_bytes = 64 << 20;     // what may wait for a disk that is full or slow
  Duration first_retry = 100ms;        // after a failure; doubles
  Duration longest_retry = 10s;
  Duration tidy_every = 10min;  // between two rounds of deleting what is too old
};

}  // namespace palang
