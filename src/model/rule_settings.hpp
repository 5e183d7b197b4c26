#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"
#include "model/decision.hpp"

namespace palang {

// What a rule does with the events it finds: when they are enough for a finding, and what follows.

// So many drops fit; one leaves every `leak`. What overflows is a finding.
struct BucketSettings {
  uint32_t capacity = 100;
  Duration leak = 100ms;
  friend bool operator==(const BucketSettings&, const BucketSettings&) = default;
};

// So many distinct sources on one account: all of them are offenders.
struct DistributedSettings {
  uint32_t sources = 10;
  Duration within = 1h;
  friend bool operator==(const DistributedSettings&, const DistributedSettings&) = default;
};

// What departs from [ban] for the offenders of one rule.
struct RuleBan {
  std::optional<Duration> first;    // `for`
  std::optional<Duration> at_most;  // none: that of [ban], or `for` where it is longer
  std::optional<Scope> scope;       // none: by proof
  friend bool operator==(const RuleBan&, const RuleBan&) = default;
};

struct RuleSettings {
  enum class Count : uint8_t {
    attempts,  // events, each for as many attempts as its line stands for
    users,     // distinct accounts
    ports,     // distinct ports
    paths,     // distinct targets
    bans,      // decisions of other rules about the source (recidive)
  };
  enum class By : uint8_t {
    address,
    prefix,  // the network that widening would ban (ban.widen.to): floods from a whole network
  };

  std::string name;
  std::string what;                  // what it counts, in the plural: "failed ssh logins"; "": no words for it
  Proof proof = Proof::application;  // of its events
  Count count = Count::attempts;
  By by = By::address;
  uint32_t after = 5;
  Duration within = 10min;
  std::optional<BucketSettings> bucket;  // instead of after and within; counts attempts
  std::optional<DistributedSettings> distributed;
  RuleBan ban;
  friend bool operator==(const RuleSettings&, const RuleSettings&) = default;
};

// The name under which a rule's distributed attacks are found.
[[nodiscard]] inline std::string distributed_name(const RuleSettings& rule) {
  return rule.name + "-distributed";
}

// Why somebody was banned who reached the threshold: "5 failed ssh logins within 10 minutes".
[[nodiscard]] std::string reason_text(const RuleSettings& rule, uint32_t count);
// The same for one of the sources of a distributed attack.
[[nodiscard]] std::string distributed_reason_text(const RuleSettings& rule, uint32_t sources);
// The words for a decision of the rule of this name; "counted 5 times" where none are known.
[[nodiscard]] std::string reason_by_rule(std::string_view rule, uint32_t count);
// From now on reason_by_rule() knows these rules, and no others. Any thread may call.
void use_reasons_of(std::span<const RuleSettings> rules);

// The limits that keep one source's memory small (promise 5); loaders refuse what is beyond.
inline constexpr uint32_t most_rule_after = 10'000;
inline constexpr uint32_t most_distributed_sources = 1'000;

}  // namespace palang
