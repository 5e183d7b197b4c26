#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/seeded_table.hpp"
#include "base/time.hpp"
#include "rules/f2b_pattern.hpp"

namespace palang::f2b {

// Lines that make up a failure: how many, and the last few of them.
struct MatchedLines {
  uint32_t count = 0;
  std::vector<std::string> last;  // at most max_kept, each cut to max_line

  void add(std::string_view line);
  void append(const MatchedLines& others);

  static constexpr size_t max_kept = 8;
  static constexpr size_t max_line = 512;  // bytes
};

// What is known of one failure, or of one session (<F-MLFID>, mostly a process or connection) over several lines.
struct Session {
  Fields fields;
  std::set<std::string> users;
  MatchedLines matches;
  MatchedLines quiet_matches;  // of lines that are no failure by themselves (<F-NOFAIL>)
  bool pending = false;        // something failed, but no line has told the address yet
  WallTime since;
};

struct SessionKey {
  std::string text;
  friend bool operator==(const SessionKey&, const SessionKey&) = default;
};
[[nodiscard]] uint64_t hash_key(HashSeed seed, const SessionKey& key);

// The sessions under way. Anyone can open sessions, so their number is bounded: the longest untouched give way.
class Sessions {
 public:
  Sessions(size_t most, HashSeed seed) : most_(most), table_(seed) {}

  // The session of this id; null if it is new, or over by its age. The caller fills it in.
  [[nodiscard]] std::unique_ptr<Session>& of(std::string_view id, WallTime at);
  void forget(std::string_view id);

  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] uint64_t evicted() const { return evicted_; }

  static constexpr Duration lifetime = std::chrono::minutes{5};

 private:
  struct Entry {
    std::unique_ptr<Session> session;
    uint64_t touched = 0;
  };

  void sweep(WallTime at);

  size_t most_;
  uint32_t hand_ = 0;  // where the sweep goes on
  SeededTable<SessionKey, Entry> table_;
  uint64_t touches_ = 0;
  uint64_t evicted_ = 0;
};

// Adds to the session (null: a new one) what a line says, `current`, and what it matched, `lines`. False if the session
// is over (<F-MLFFORGET>).
[[nodiscard]] bool merge_session(std::unique_ptr<Session>& session, Session current, const MatchedLines& lines);

// fail2ban's "is set": the group took part and captured something.
[[nodiscard]] bool is_set(const Fields& fields, std::string_view name);

}  // namespace palang::f2b
