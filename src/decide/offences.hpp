#pragma once

#include <cstdint>

#include "base/seeded_table.hpp"
#include "base/time.hpp"
#include "net/prefix.hpp"

namespace palang {

// How often a subject was decided about before: the n that doubles a ban. A subject is forgotten once the end of its
// last ban is `remember` ago. Bounded in subjects; among a few the one longest gone gives way.
class Offences {
 public:
  Offences(HashSeed seed, Duration remember, uint32_t most_subjects)
      : table_(seed), remember_(remember), most_subjects_(most_subjects) {}

  // Earlier decisions for exactly this prefix that are still remembered at `now`.
  [[nodiscard]] uint8_t count(const Prefix& subject, WallTime now) const;
  // A decision for `subject` is made at `at`; returns how many were made before.
  uint8_t add(const Prefix& subject, WallTime at);
  // A decision of the past, which had `repeat` before it and ended (or will end) at `until`.
  void restore(const Prefix& subject, uint8_t repeat, WallTime until);
  // Its ban ended, or will end, at `at`.
  void ended(const Prefix& subject, WallTime at);

  void remember_for(Duration remember) { remember_ = remember; }
  void reserve(size_t more) { table_.reserve(table_.size() + more); }
  void prefetch_index(const Prefix& subject) const { table_.prefetch_index(subject); }

  [[nodiscard]] uint64_t evicted() const { return evicted_; }

 private:
  struct Record {
    uint32_t last = 0;  // seconds since 1970 (good until 2106)
    uint8_t count = 0;  // saturates
  };

  [[nodiscard]] bool remembers(const Record& record, WallTime now) const;
  Record& record_of(const Prefix& subject);

  SeededTable<Prefix, Record> table_;
  Duration remember_;
  uint32_t most_subjects_;
  uint64_t evicted_ = 0;
};

}  // namespace palang
