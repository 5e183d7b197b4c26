#include "detect/rule_detector.hpp"

#include <algorithm>
#include <string>

namespace palang {
namespace {

using Count = RuleSettings::Count;

constexpr Duration brief{1min};
constexpr size_t most_accounts_per_source = 32;

// How long until nothing is left of what was counted.
Duration memory_of(const RuleSettings& rule) {
  return rule.bucket ? rule.bucket->leak * rule.bucket->capacity : rule.within;
}

bool is_distinct(const RuleSettings& rule) {
  return !rule.bucket && (rule.count == Count::users || rule.count == Count::ports || rule.count == Count::paths);
}

uint64_t value_of(const RuleSettings& rule, const Event& event) {
  switch (rule.count) {
    case Count::users: return text_fingerprint(event.user);
    case Count::paths: return text_fingerprint(event.target);
    case Count::ports: return event.port;
    case Count::attempts:
    case Count::bans: break;
  }
  return event.attempts;
}

// Keeps those within the window that ends with the newest; in order of time.
template <typename Item>
void keep_window(std::vector<Item>& items, Duration within) {
  if (items.empty()) return;
  const WallTime newest = items.back().at;
  std::erase_if(items, [&](const Item& item) { return item.at + within <= newest; });
}

// Lines of several logs come nearly in order.
template <typename Item>
void insert_in_order(std::vector<Item>& items, const Item& item) {
  auto at = items.end();
  while (at != items.begin() && item.at < (at - 1)->at) --at;
  items.insert(at, item);
}

// The drops in the bucket, as the time until the last one has left: exact, where a level would be rounded.
uint64_t pour(uint64_t left, Duration passed, const BucketSettings& bucket, uint64_t drops) {
  const auto gone = static_cast<uint64_t>(std::max<int64_t>(passed.count(), 0));
  return (left > gone ? left - gone : 0) + drops * static_cast<uint64_t>(bucket.leak.count());
}

uint32_t drops_in(uint64_t left, const BucketSettings& bucket) {
  const auto leak = static_cast<uint64_t>(std::max<int64_t>(bucket.leak.count(), 1));
  return static_cast<uint32_t>(std::min<uint64_t>((left + leak - 1) / leak, UINT32_MAX));
}

template <typename Sightings>
uint32_t count_in(const RuleSettings& rule, const Sightings& sightings) {
  if (sightings.empty()) return 0;
  if (rule.bucket) return drops_in(sightings.back().value, *rule.bucket);
  if (is_distinct(rule)) return static_cast<uint32_t>(sightings.size());
  uint64_t sum = 0;
  for (const auto& sighting : sightings) sum += sighting.value;
  return static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
}

uint32_t enough_for(const RuleSettings& rule) {
  return rule.bucket ? rule.bucket->capacity + 1 : std::max(rule.after, 1U);
}

template <typename Sightings>
void add_sighting(const RuleSettings& rule, Sightings& sightings, WallTime at, uint64_t value) {
  if (rule.bucket) {
    if (sightings.empty()) sightings.push_back({at, 0});
    auto& bucket = sightings.back();
    bucket.value = pour(bucket.value, at - bucket.at, *rule.bucket, value);
    bucket.at = std::max(bucket.at, at);
    return;
  }
  if (is_distinct(rule)) {
    for (const auto& sighting : sightings)
      if (sighting.value == value && sighting.at > at) at = sighting.at;
    std::erase_if(sightings, [&](const auto& sighting) { return sighting.value == value; });
    insert_in_order(sightings, {at, value});
  } else if (!sightings.empty() && sightings.back().at == at) {
    sightings.back().value += value;  // a log that knows seconds only
  } else {
    insert_in_order(sightings, {at, value});
  }
  keep_window(sightings, rule.within);
}

}  // namespace

RuleDetector::RuleDetector(const PolicySettings& policy, HashSeed seed)
    : counts_(seed, policy.detect.tracked_sources), accounts_(seed, policy.detect.tracked_sources) {
  use(policy);
}

void RuleDetector::use(const PolicySettings& policy) {
  widths_ = policy.ban.widen;
  rules_.clear();
  index_.clear();
  for (const RuleSettings& settings : policy.rules) {
    Loaded loaded{settings, rule_named(settings.name), Rule::recovered};
    if (settings.distributed) loaded.distributed = rule_named(distributed_name(settings));
    if (loaded.rule == Rule::recovered || rules_.size() >= UINT16_MAX) continue;
    const auto id = static_cast<size_t>(loaded.rule);
    if (index_.size() <= id) index_.resize(id + 1);
    rules_.push_back(std::move(loaded));
    index_[id] = static_cast<uint16_t>(rules_.size());
  }
}

const RuleDetector::Loaded* RuleDetector::find(Rule rule) const {
  const auto id = static_cast<size_t>(rule);
  if (id >= index_.size() || index_[id] == 0) return nullptr;
  return &rules_[index_[id] - 1U];
}

const RuleDetector::Loaded* RuleDetector::find_distributed(Rule rule) const {
  if (rule == Rule::recovered) return nullptr;
  const auto found = std::ranges::find(rules_, rule, &Loaded::distributed);
  return found == rules_.end() ? nullptr : &*found;
}

Prefix RuleDetector::subject_of(const RuleSettings& rule, const Address& source) const {
  if (rule.by == RuleSettings::By::address) return Prefix::of(source);
  return Prefix::of_length(source, source.is_v4() ? widths_.to_v4 : widths_.to_v6);
}

bool RuleDetector::is_brief(Rule rule) const {
  const Loaded* loaded = find(rule);
  return loaded != nullptr && memory_of(loaded->settings) <= brief;
}

void RuleDetector::touch(const RuleSettings& rule, const RuleSubject& key) {
  if (keeps_pending_ && memory_of(rule) > brief) touched_.push_back(key);
}

void RuleDetector::observe(const Event& event, std::vector<Finding>& findings) {
  const Loaded* loaded = find(event.rule);
  if (loaded == nullptr) return;
  const RuleSettings& rule = loaded->settings;
  const bool is_network = event.bits < 128;
  const Prefix subject = is_network ? Prefix::around(event.source, event.bits) : subject_of(rule, event.source);
  const RuleSubject key{event.rule, subject};
  uint32_t count = event.attempts;
  const uint32_t enough = enough_for(rule);
  if (enough > 1) {
    counts_.change(key, [&](Sightings& sightings) {
      add_sighting(rule, sightings, event.at, value_of(rule, event));
      count = count_in(rule, sightings);
      if (count >= enough) sightings.clear();
    });
    touch(rule, key);
  }
  if (count >= enough)
    findings.push_back(
        {event.at, event.source, key.subject.bits(), event.rule, event.proof, event.protocol, event.port, count});
  if (rule.distributed && !event.user.empty() && !is_network) note_account(*loaded, event, findings);
}

void RuleDetector::note_account(const Loaded& loaded, const Event& event, std::vector<Finding>& findings) {
  const DistributedSettings& limit = *loaded.settings.distributed;
  const uint64_t account = text_fingerprint(event.user);
  std::vector<AccountSource> offenders;
  accounts_.change({loaded.distributed, account}, [&](std::vector<AccountSource>& sources) {
    std::erase_if(sources, [&](const AccountSource& other) { return other.source == event.source; });
    insert_in_order(sources, {event.at, event.source});
    keep_window(sources, limit.within);
    if (sources.size() >= limit.sources) offenders.swap(sources);
  });
  // The same from the sources' side, which is what a restart reads.
  const RuleSubject own{loaded.distributed, Prefix::of(event.source)};
  if (keeps_pending_ && offenders.empty()) {
    counts_.change(own, [&](Sightings& sightings) {
      std::erase_if(sightings, [&](const Sighting& sighting) { return sighting.value == account; });
      if (sightings.size() >= most_accounts_per_source) sightings.erase(sightings.begin());
      insert_in_order(sightings, {event.at, account});
      keep_window(sightings, limit.within);
    });
    touched_.push_back(own);
  }
  for (const AccountSource& offender : offenders) {
    const auto count = static_cast<uint32_t>(offenders.size());
    findings.push_back(
        {event.at, offender.source, 128, loaded.distributed, event.proof, event.protocol, event.port, count});
    if (!keeps_pending_) continue;
    counts_.forget({loaded.distributed, Prefix::of(offender.source)});
    touched_.push_back({loaded.distributed, Prefix::of(offender.source)});
  }
}

void RuleDetector::observe_ban(const Finding& cause, std::vector<Finding>& findings) {
  if (cause.proof == Proof::forgeable || cause.bits != 128) return;
  const Loaded* own = find(cause.rule);
  if (own != nullptr && own->settings.count == Count::bans) return;
  for (const Loaded& loaded : rules_) {
    if (loaded.settings.count != Count::bans) continue;
    Event event;
    event.at = cause.at;
    event.source = cause.offender;
    event.protocol = cause.protocol;
    event.port = cause.port;
    event.proof = cause.proof;
    event.rule = loaded.rule;
    observe(event, findings);
  }
}

void RuleDetector::forget(const Address& address) {
  for (const Loaded& loaded : rules_) {
    if (loaded.settings.by != RuleSettings::By::address || loaded.settings.count == Count::bans) continue;
    const RuleSubject key{loaded.rule, Prefix::of(address)};
    if (counts_.find(key) == nullptr) continue;
    counts_.forget(key);
    touch(loaded.settings, key);
  }
}

void RuleDetector::forget_within(const Prefix& prefix) {
  counts_.forget_if([&](const RuleSubject& key) {
    if (!prefix.contains(key.subject)) return false;
    if (keeps_pending_) touched_.push_back(key);
    return true;
  });
}

void RuleDetector::take_pending(std::vector<Pending>& into) {
  std::ranges::sort(touched_);
  touched_.erase(std::ranges::unique(touched_).begin(), touched_.end());
  for (const RuleSubject& key : touched_) {
    Pending pending{key.rule, key.subject, {}, {}};
    if (const auto* sightings = counts_.find(key)) {
      for (const Sighting& sighting : *sightings) {
        pending.times.push_back(sighting.at);
        pending.values.push_back(sighting.value);
      }
    }
    into.push_back(std::move(pending));
  }
  touched_.clear();
}

void RuleDetector::restore(std::span<const Pending> pending, WallTime now) {
  for (const Pending& one : pending) {
    const Loaded* loaded = find(one.rule);
    const Loaded* distributed = loaded == nullptr ? find_distributed(one.rule) : nullptr;
    if ((loaded == nullptr && distributed == nullptr) || one.values.size() != one.times.size() || one.times.empty())
      continue;
    const Duration memory = loaded != nullptr ? memory_of(loaded->settings) : distributed->settings.distributed->within;
    Sightings sightings;
    for (size_t i = 0; i < one.times.size(); ++i)
      if (one.times[i] + memory > now) sightings.push_back({one.times[i], one.values[i]});
    if (sightings.empty()) continue;
    if (distributed != nullptr)
      for (const Sighting& sighting : sightings)
        accounts_.change({one.rule, sighting.value}, [&](std::vector<AccountSource>& sources) {
          insert_in_order(sources, {sighting.at, one.subject.address()});
        });
    counts_.change({one.rule, one.subject}, [&](Sightings& list) { list = std::move(sightings); });
  }
}

std::vector<Progress> RuleDetector::progress_of(const Address& address, WallTime now) const {
  std::vector<Progress> all;
  for (const Loaded& loaded : rules_) {
    const RuleSettings& rule = loaded.settings;
    const Prefix subject = subject_of(rule, address);
    const auto* found = counts_.find({loaded.rule, subject});
    if (found == nullptr) continue;
    Sightings sightings = *found;
    const WallTime newest = sightings.back().at;
    if (rule.bucket)
      sightings.back().value = pour(sightings.back().value, now - newest, *rule.bucket, 0);
    else
      std::erase_if(sightings, [&](const Sighting& sighting) { return sighting.at + rule.within <= now; });
    const uint32_t count = count_in(rule, sightings);
    if (count > 0) all.push_back({loaded.rule, subject, count, enough_for(rule), memory_of(rule), newest});
  }
  return all;
}

}  // namespace palang
