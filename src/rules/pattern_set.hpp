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
  std::vector<uint32_t> found_;
  std::vector<bool> fits_;  // by the serial number of a database
};

// Many patterns, of which a text picks the few that may match it; what it costs hardly depends on how many there are.
// Anchored patterns with a literal beginning are found in a PrefixTree. All others, and those of which very many begin
// alike, Hyperscan looks for, all in one pass. Only a filter: a candidate may not match, but what is no candidate
// doesn't.
class PatternSet {
 public:
  struct Pattern {
    std::string text;  // as PCRE2 is given it
    bool multiline = false;
    bool caseless = false;
    std::string simple = {};  // matches wherever `text` does, and is easier on Hyperscan; "": there is none
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
  // Some of the patterns, as Hyperscan looks for them.
  class Database {
   public:
    // Moves those that Hyperscan refuses to `refused`.
    void compile(std::span<const Pattern> patterns, std::vector<uint32_t> ids, std::vector<uint32_t>& refused);
    // Appends those that may match.
    void scan(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const;
    [[nodiscard]] bool empty() const { return database_ == nullptr; }

   private:
    struct Free {
      void operator()(hs_database* database) const;
    };
    std::unique_ptr<hs_database, Free> database_;
    uint32_t serial_ = 0;  // unique in this process
  };

  void narrow(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const;

  PrefixTree prefixes_;
  Database alike_;                   // of those in prefixes_, where many begin alike
  std::vector<uint32_t> not_alike_;  // of those in prefixes_, what alike_ can't tell; ascending
  Database others_;
  std::vector<uint32_t> always_;
};

}  // namespace palang
