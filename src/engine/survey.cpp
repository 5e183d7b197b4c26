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

// The top of a table's keys by `count_of(value)`.
template <typename Key, typename Value, typename CountOf>
std::vector<Ranked> ranked(const SeededTable<Key, Value>& table, CountOf&& count_of) {
  // Only candidates become text: those with at least the count of the tenth.
  std::vector<uint64_t> sorted;
  sorted.reserve(table.size());
  table.for_each([&](const Key&, const Value& value) { sorted.push_back(count_of(value)); });
  if (sorted.empty()) return {};
  const size_t last = std::min(top, sorted.size()) - 1;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(last), std::greater<>());
  const uint64_t enough = sorted[last];
  std::vector<Ranked> candidates;
  table.for_each([&](const Key& key, const Value& value) {
    const uint64_t count = count_of(value);
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

Survey::Survey(const std::vector<Policy>& policies, WallTime booted, RuleBook book)
    : reader_(booted), book_(std::move(book)), sources_(HashSeed{}) {
  for (const Policy& policy : policies)
    simulations_.push_back(std::make_unique<Simulation>(policy.name, policy.settings, HashSeed{}));
  for (auto& ports : ports_) ports.resize(65536);
  events_.reserve(group);
  times_.reserve(group);
}

void Survey::observe(const Source::Batch& batch) {
  for (const RawLine& raw : batch.lines) {
    const ParsedLine parsed = reader_.parse(raw);
    LineFate fate = parsed.fate;
    ++result_.lines;
    if (fate == LineFate::judged) {
      take(parsed.event);
      if (events_.size() == group) judge_group();
    } else if (fate == LineFate::not_ours || fate == LineFate::no_header) {
      observe_by_rules(raw, fate);
    }
    ++result_.fates[static_cast<size_t>(fate)];
  }
  judge_group();  // the lines are gone with the batch
}

void Survey::take(const Event& event) {
  if (result_.events == 0) result_.first = event.at;
  if (!event.echo) ++result_.events;
  now_ = std::max(now_, event.at);
  events_.push_back(event);
  times_.push_back(now_);
}

void Survey::observe_by_rules(const RawLine& raw, LineFate& fate) {
  found_.clear();
  fate = reader_.by_rules(raw, fate, book_, found_);
  if (found_.empty()) return;
  for (const Event& event : found_) {
    take(event);
    const auto id = static_cast<size_t>(event.rule);
    if (rule_events_.size() <= id) {
      rule_events_.resize(id + 1);
      rule_sources_.resize(id + 1);
    }
    ++rule_events_[id];
    if (!rule_sources_[id]) rule_sources_[id] = std::make_unique<SeededTable<Address, bool>>(HashSeed{});
    rule_sources_[id]->find_or_insert(event.source);
  }
  judge_group();  // what they point to is gone with the line
}

std::vector<RuleTally> Survey::tally() const {
  std::vector<RuleTally> all;
  const Simulation* policy = nullptr;
  for (const auto& simulation : simulations_)
    if (policy == nullptr || simulation->name() == "default") policy = simulation.get();
  const auto bans_of = [&](size_t id) {
    return policy == nullptr || policy->bans_by_rule().size() <= id ? 0 : policy->bans_by_rule()[id];
  };
  // Distributed attacks are found under a name that no event has.
  const size_t ids = std::max(rule_events_.size(), policy == nullptr ? 0 : policy->bans_by_rule().size());
  for (size_t id = 0; id < ids; ++id) {
    const bool seen = id < rule_events_.size() && rule_events_[id] > 0;
    const auto rule = static_cast<Rule>(id);
    if (rule == Rule::blocked || rule == Rule::portscan || (!seen && bans_of(id) == 0)) continue;
    all.push_back({rule, seen ? rule_events_[id] : 0, seen ? rule_sources_[id]->size() : 0, bans_of(id)});
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &RuleTally::events);
  return all;
}

void Survey::judge_group() {
  const size_t count = events_.size();
  for (size_t e = 0; e < count; ++e) sources_.prefetch_index_of(hashes_[e] = sources_.hash_of(events_[e].source));
  for (size_t e = 0; e < count; ++e) sources_.prefetch_entry_of(hashes_[e]);
  for (size_t e = 0; e < count; ++e) {
    // Entries stay where they are, also when others are inserted.
    records_[e] = &sources_.value(sources_.find_or_insert(events_[e].source, hashes_[e]).first);
    if (!events_[e].echo) ++records_[e]->events;
    count_port(events_[e]);
  }
  for (size_t i = 0; i < simulations_.size(); ++i) judge_group_by(*simulations_[i], i);
  events_.clear();
  times_.clear();
}

void Survey::judge_group_by(Simulation& simulation, size_t index) {
  if (simulation.is_idle()) return;
  const size_t count = events_.size();
  for (size_t e = 0; e < count; ++e) simulation.prefetch_ban(events_[e].source, records_[e]->hints[index]);
  size_t passing = 0;
  for (size_t e = 0; e < count; ++e) {
    const Judge::Hint& hint = records_[e]->hints[index];
    if (simulation.may_stop(hint)) continue;
    passing_[passing++] = e;
    simulation.prefetch_decision(events_[e].source, hint);
  }
  for (size_t p = 0; p < passing; ++p) {
    const size_t e = passing_[p];
    simulation.prefetch_network(events_[e].source, records_[e]->hints[index]);
  }
  for (size_t e = 0; e < count; ++e) simulation.observe(events_[e], times_[e], records_[e]->hints[index]);
}

void Survey::count_port(const Event& event) {
  if (event.rule != Rule::blocked) return;
  switch (event.protocol) {
    case Protocol::tcp: ++ports_[0][event.port]; break;
    case Protocol::udp: ++ports_[1][event.port]; break;
    case Protocol::icmp:
    case Protocol::icmp6: ++icmp_; break;
    case Protocol::other: break;
  }
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
  result_.rules = tally();
  result_.sources = sources_.size();
  for (const auto& simulation : simulations_) result_.policies.push_back(simulation->finish(now_));
  SeededTable<Prefix, uint64_t> networks(HashSeed{});
  networks.reserve(sources_.size());
  sources_.for_each([&](const Address& source, const SourceRecord& record) {
    const Prefix network = Prefix::of_length(source, source.is_v4() ? 24 : 64);
    networks.value(networks.find_or_insert(network).first) += record.events;
  });
  result_.top_ports = top_ports();
  result_.top_sources = ranked(sources_, [](const SourceRecord& record) { return record.events; });
  result_.top_prefixes = ranked(networks, [](uint64_t events) { return events; });
  return result_;
}

}  // namespace palang
