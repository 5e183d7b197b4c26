#include "decide/subjects.hpp"

#include <algorithm>

namespace palang {
namespace {

constexpr uint8_t most_counted = 100;

uint32_t seconds_of(WallTime time) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace

Subjects::Slot Subjects::find_or_insert(const Prefix& prefix) {
  const uint64_t hash = table_.hash_of(prefix);
  if (table_.size() >= most_ && table_.find(prefix, hash) == none) make_room();
  return table_.find_or_insert(prefix, hash).first;
}

void Subjects::make_room() {
  const auto goes_before = [](const Subject& a, const Subject& b) {
    return a.active != b.active ? b.active : a.last_offence < b.last_offence;
  };
  constexpr int most_samples = 64;  // of nothing but active ones, as long as a lowered budget has not taken effect
  for (int i = 0; i < most_samples; ++i) {
    const Slot oldest = table_.next_to_go(goes_before);
    if (table_.value(oldest).active) continue;
    table_.erase(oldest);
    ++evicted_;
    return;
  }
}

bool Subjects::remembers(const Subject& subject, WallTime now) const {
  return subject.offences > 0 && WallTime{std::chrono::seconds{subject.last_offence}} + remember_ > now;
}

uint8_t Subjects::offences(const Prefix& prefix, WallTime now) const {
  const Slot slot = find(prefix);
  return slot != none && remembers(table_.value(slot), now) ? table_.value(slot).offences : uint8_t{0};
}

uint8_t Subjects::add_offence(Slot slot, WallTime at) {
  Subject& subject = table_.value(slot);
  const uint8_t before = remembers(subject, at) ? subject.offences : uint8_t{0};
  subject.last_offence = seconds_of(at);
  subject.offences = std::min<uint8_t>(static_cast<uint8_t>(before + 1), most_counted);
  return before;
}

void Subjects::restore_offence(const Prefix& prefix, uint8_t repeat, WallTime until) {
  Subject& subject = table_.value(find_or_insert(prefix));
  const auto earlier = std::min<uint8_t>(repeat, most_counted - 1);
  subject.last_offence = std::max(subject.last_offence, seconds_of(until));
  subject.offences = std::max<uint8_t>(subject.offences, earlier + 1);
}

void Subjects::offence_ends(Slot slot, WallTime at) {
  table_.value(slot).last_offence = seconds_of(at);
}

}  // namespace palang
