#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/finding.hpp"
#include "net/prefix.hpp"

namespace palang {

// Where a decision drops packets.
enum class Scope : uint8_t {
  quiet,  // on every port that is not open to the public: nobody else loses anything
  full,   // everywhere
};

enum class Origin : uint8_t { local, manual, imported, feed, fleet };

[[nodiscard]] std::string_view scope_name(Scope scope);
[[nodiscard]] std::string_view origin_name(Origin origin);

// What we do about a prefix. 72 bytes, so that a million of them stay small; free text lives in the ledger.
struct Decision {
  uint64_t id = 0;  // unique within a ledger, ascending; 0: not yet given
  Prefix prefix;
  WallTime from;
  WallTime until;
  WallTime proven_at;  // last evidence better than forgeable; `from` where there was none
  uint32_t count = 1;  // as in the Finding
  uint16_t port = 0;   // as in the Finding
  Protocol protocol = Protocol::other;
  Rule rule = Rule::blocked;
  Scope scope = Scope::quiet;
  Origin origin = Origin::local;
  Proof proof = Proof::forgeable;
  uint8_t repeat = 0;  // n: earlier decisions for the same prefix that are still remembered
};

// "refused at tcp/8083", "tried 12 ports, last tcp/22", "banned by hand": what a person reads as the reason.
[[nodiscard]] std::string reason_text(const Decision& decision);

// As Ban::knock: knocks move what was decided here, not what an admin or somebody else decided.
[[nodiscard]] constexpr uint8_t knock_of(Origin origin, uint8_t repeat) {
  return origin == Origin::local ? static_cast<uint8_t>(repeat + 1) : uint8_t{0};
}

enum class ChangeKind : uint8_t {
  added,     // a new decision
  moved,     // the same decision, with another end (a knock, a re-ban) or scope
  ended,     // its time is over; the kernel knows by itself
  lifted,    // ended before its time: by hand, or allowed meanwhile
  absorbed,  // a wider decision covers it now
  evicted,   // gave way to the budget
};

[[nodiscard]] std::string_view change_name(ChangeKind kind);

// A decision added, moved or gone; `decision` is its state after the change.
struct Change {
  ChangeKind kind = ChangeKind::added;
  Decision decision;
  WallTime at;
  std::string note;  // an admin's reason; empty elsewhere
};

}  // namespace palang
