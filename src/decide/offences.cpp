#include "decide/offences.hpp"

#include <algorithm>

namespace palang {
namespace {

constexpr uint8_t most_counted = 100;

uint32_t seconds_of(WallTime time) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace

bool Offences::remembers(const Record& record, WallTime now) const {
  return record.count > 0 && WallTime{std::chrono::seconds{record.last}} + remember_ > now;
}

uint8_t Offences::count(const Prefix& subject, WallTime now) const {
  const Record* record = table_.get(subject);
  return record != nullptr && remembers(*record, now) ? record->count : uint8_t{0};
}

Offences::Record& Offences::record_of(const Prefix& subject) {
  if (table_.size() >= most_subjects_ && table_.get(subject) == nullptr) {
    table_.evict_one([](const Record& a, const Record& b) { return a.last < b.last; });
    ++evicted_;
  }
  return table_.value(table_.find_or_insert(subject).first);
}

uint8_t Offences::add(const Prefix& subject, WallTime at) {
  Record& record = record_of(subject);
  const uint8_t before = remembers(record, at) ? record.count : uint8_t{0};
  record = {seconds_of(at), std::min<uint8_t>(static_cast<uint8_t>(before + 1), most_counted)};
  return before;
}

void Offences::restore(const Prefix& subject, uint8_t repeat, WallTime until) {
  Record& record = record_of(subject);
  const auto count = std::min<uint8_t>(repeat, most_counted - 1);
  record = {std::max(record.last, seconds_of(until)), std::max<uint8_t>(record.count, count + 1)};
}

void Offences::ended(const Prefix& subject, WallTime at) {
  if (Record* record = table_.get(subject)) record->last = seconds_of(at);
}

}  // namespace palang
