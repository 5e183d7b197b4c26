#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/decision.hpp"
#include "net/ports.hpp"

namespace palang {

// One element as the kernel should hold it.
struct Ban {
  Prefix prefix;
  Scope scope = Scope::quiet;
  WallTime until;
  uint8_t knock = 0;  // 0: knocks don't move the end; else `quiet`, doubled knock-1 times, is how far they do
};

// What is allowed passes before any ban is looked at.
struct Allowed {
  Prefix prefix;
  WallTime until = WallTime::max();  // max: without end
};

// All that the kernel should hold.
struct Intended {
  std::optional<std::vector<Ban>> bans;  // none: leave the bans as they are (cheap however many there are)
  std::vector<Allowed> allowed;
  PublicPorts open;
};

struct ReconcileReport {
  uint64_t added = 0;      // elements that were missing
  uint64_t removed = 0;    // elements nobody intended
  uint64_t refreshed = 0;  // elements with another end or scope
  uint64_t rewritten = 0;  // elements of sets so large that writing them anew beats comparing them
  bool rebuilt = false;    // our table was missing or not ours any more
};

// Packets that a ban has stopped since its element was last (re)written.
struct Hits {
  Prefix prefix;
  uint64_t packets = 0;
};

// Danger costs a visible token.
struct UnblocksEveryone {};

// Makes the kernel agree with what was decided. Each call is one atomic transaction or changes nothing;
// running it twice changes nothing. Times are wall-clock ends; the enforcer hands the kernel the time that remains
// (promise 7).
class Enforcer {
 public:
  virtual ~Enforcer() = default;

  // Applies changes of any kind; those whose end is past at `now` are left out.
  [[nodiscard]] virtual Result<void> apply(std::span<const Change> changes, WallTime now) = 0;

  enum class Extra : uint8_t { keep, remove };
  // The whole: builds what is missing, refreshes what differs, and removes (or keeps) what is not intended.
  [[nodiscard]] virtual Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) = 0;

  // What the kernel holds now; `until` is exact to the kernel's resolution (milliseconds). Empty: no table of ours.
  [[nodiscard]] virtual Result<std::vector<Ban>> held(WallTime now) = 0;

  // Hit counters of these bans; one that the kernel doesn't hold is left out.
  [[nodiscard]] virtual Result<std::vector<Hits>> hits(std::span<const Ban> bans) = 0;

  [[nodiscard]] virtual Result<void> lift_everything(UnblocksEveryone) = 0;
};

}  // namespace palang
