#include "engine/survey.hpp"

#include <algorithm>

namespace palang {
namespace {

constexpr size_t top = 10;

// The `top` of a list by events, ties by name.
std::vector<Ranked> best_of(std::vector<Ranked> all) {
  const auto before = [](const Ranked& a, const Ranked& b) {
    return a.events != b.events ? a.events > b.events : a.name < b.name;
  };
  const auto shown = std::min(top, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown), before);
  all.resize(shown);
  return all;
}

template <typename Key>
std::vector<Ranked> ranked(const SeededTable<Key, uint64_t>& counts) {
  // Only candidates become text: those with at least the count of the tenth.
  std::vector<uint64_t> sorted;
  counts.for_each([&](const Key&, uint64_t count) { sorted.push_back(count); });
  if (sorted.empty()) return {};
  const size_t last = std::min(top, sorted.size()) - 1;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(last), std::greater<>());
  const uint64_t enough = sorted[last];
  std::vector<Ranked> candidates;
  counts.for_each([&](const Key& key, uint64_t count) {
    if (count > enough || (count == enough && candidates.size() < 100'000)) candidates.push_back({key.text(), count});
  });
  return best_of(std::move(candidates));
}

}  // namespace

double SurveyResult::minutes() const {
  const auto span = std::chrono::duration<double, std::ratio<60>>(last - first).count();
  return std::max(span, 1.0 / 60);
}

double SurveyResult::per_minute_after(const SimulationResult& policy) const {
  return static_cast<double>(events - policy.stopped) / minutes();
}

double SurveyResult::stopped_percent_of_later(const SimulationResult& policy) const {
  const uint64_t later = events - sources;
  return later == 0 ? 0 : 100.0 * static_cast<double>(policy.stopped) / static_cast<double>(later);
}

double SurveyResult::addresses_per_attacker(const SimulationResult& policy) const {
  return sources == 0 ? 0 : policy.covered / static_cast<double>(sources);
}

Survey::Survey(const std::vector<Policy>& policies, WallTime booted) : parser_(booted), sources_(HashSeed{}) {
  for (const Policy& policy : policies)
    simulations_.push_back(std::make_unique<Simulation>(policy.name, policy.settings, HashSeed{}));
  for (auto& ports : ports_) ports.resize(65536);
  events_.reserve(group);
  times_.reserve(group);
}

void Survey::observe(const Source::Batch& batch) {
  for (const RawLine& raw : batch.lines) {
    const ParsedLine parsed = parser_.parse(raw);
    ++result_.lines;
    ++result_.fates[static_cast<size_t>(parsed.fate)];
    if (parsed.fate != LineFate::judged) continue;
    if (result_.events++ == 0) result_.first = parsed.event.at;
    now_ = std::max(now_, parsed.event.at);
    events_.push_back(parsed.event);
    times_.push_back(now_);
    if (events_.size() == group) judge_group();
  }
  judge_group();  // the lines are gone with the batch
}

void Survey::judge_group() {
  for (const Event& event : events_) sources_.prefetch_index(event.source);
  for (const Event& event : events_) sources_.prefetch_entry(event.source);
  slots_.clear();
  for (const Event& event : events_) {
    const auto slot = sources_.find_or_insert(event.source).first;
    slots_.push_back(slot);
    SourceRecord& source = sources_.value(slot);
    ++source.events;
    count_port(event);
    for (size_t i = 0; i < simulations_.size(); ++i) simulations_[i]->prefetch(event.source, source.hints[i]);
  }
  for (size_t i = 0; i < simulations_.size(); ++i)
    for (size_t e = 0; e < events_.size(); ++e)
      simulations_[i]->observe(events_[e], times_[e], sources_.value(slots_[e]).hints[i]);
  events_.clear();
  times_.clear();
}

void Survey::count_port(const Event& event) {
  if (event.protocol == Protocol::tcp) ++ports_[0][event.port];
  if (event.protocol == Protocol::udp) ++ports_[1][event.port];
  if (event.protocol == Protocol::icmp || event.protocol == Protocol::icmp6) ++icmp_;
}

std::vector<Ranked> Survey::top_ports() const {
  std::vector<Ranked> all;
  for (size_t protocol = 0; protocol < ports_.size(); ++protocol)
    for (size_t port = 0; port < ports_[protocol].size(); ++port)
      if (ports_[protocol][port] > 0)
        all.push_back({(protocol == 0 ? "tcp/" : "udp/") + std::to_string(port), ports_[protocol][port]});
  if (icmp_ > 0) all.push_back({"icmp", icmp_});
  return best_of(std::move(all));
}

SurveyResult Survey::finish() {
  result_.last = now_;
  result_.sources = sources_.size();
  for (const auto& simulation : simulations_) result_.policies.push_back(simulation->finish(now_));
  SeededTable<Prefix, uint64_t> networks(HashSeed{});
  SeededTable<Address, uint64_t> sources(HashSeed{});
  sources_.for_each([&](const Address& source, const SourceRecord& record) {
    const uint64_t count = record.events;
    sources.value(sources.find_or_insert(source).first) = count;
    const Prefix network = Prefix::of_length(source, source.is_v4() ? 24 : 64);
    networks.value(networks.find_or_insert(network).first) += count;
  });
  result_.top_ports = top_ports();
  result_.top_sources = ranked(sources);
  result_.top_prefixes = ranked(networks);
  return result_;
}

}  // namespace palang
