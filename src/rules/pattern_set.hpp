#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/literal_prefix.hpp"

struct hs_database;
struct hs_scratch;

namespace palang {

// Memory that a search takes: one for each thread, used for any number of sets.
class ScanMemory {
 private:
  friend class PatternSet;
  struct Free {
    void operator()(hs_scratch* scratch) const;
  };
  void make_room(const hs_database* database, uint32_t serial);

  std::unique_ptr<hs_scratch, Free> scratch_;
  std::vector<bool> fits_;  // by the serial number of a database
};

// Many patterns, of which a text picks the few that may match it; what it costs hardly depends on how many there are.
// Anchored patterns with a literal beginning are found in a PrefixTree, all others by Hyperscan, which looks for all of
// them in one pass. Only a filter: a candidate may not match, but what is no candidate doesn't.
class PatternSet {
 public:
  struct Pattern {
    std::string text;  // as PCRE2 is given it
    bool multiline = false;
    bool caseless = false;
  };

  PatternSet() = default;
  // Never fails: a pattern that Hyperscan refuses, or all where the processor is none of its kind (it wants SSE4.2),
  // are always candidates. The set may hold at most 2^32 patterns; ids are their indices.
  [[nodiscard]] static PatternSet compile(std::span<const Pattern> patterns);

  // Replaces `ids` with the candidates for `text`, ascending.
  void candidates(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const;

  // For reports: how many are always candidates.
  [[nodiscard]] size_t unfiltered() const { return always_.size(); }

 private:
  struct Free {
    void operator()(hs_database* database) const;
  };

  void compile_database(std::span<const Pattern> patterns, std::vector<uint32_t> ids);

  PrefixTree prefixes_;
  std::unique_ptr<hs_database, Free> database_;
  uint32_t serial_ = 0;  // of the database, unique in this process
  std::vector<uint32_t> always_;
};

}  // namespace palang
