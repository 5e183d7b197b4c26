#include "rules/rule_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "rules/binding.hpp"
#include "rules/line_rules.hpp"
#include "rules/request_rules.hpp"

namespace palang {
namespace {

// The rules that one line is offered to.
struct Offer {
  std::vector<uint32_t> rules;  // indices of definitions
  LineRules lines;
  RequestRules requests;
};

// What lines of one program or file are offered to, by their format; null: nothing.
using Offers = std::array<Offer*, line_formats>;

bool unit_allows(const RuleDefinition& rule, const LineOrigin& origin) {
  if (rule.units.empty() || origin.unit.empty()) return true;
  return std::ranges::any_of(rule.units, [&](const std::string& unit) { return program_fits(origin.unit, unit); });
}

// What is not decided by the program or the file already.
bool origin_allows(const RuleDefinition& rule, const LineOrigin& origin) {
  if (!unit_allows(rule, origin)) return false;
  if (!rule.transports.empty() && !origin.transport.empty() &&
      std::ranges::find(rule.transports, origin.transport) == rule.transports.end())
    return false;
  if (!rule.uids.empty() && origin.uid && std::ranges::find(rule.uids, *origin.uid) == rule.uids.end()) return false;
  if (rule.format != LineFormat::syslog || rule.files.empty() || origin.file.empty()) return true;
  return std::ranges::any_of(rule.files, [&](const std::string& file) { return file_fits(origin.file, file); });
}

Result<void> fill(Offer& offer, std::span<const RuleDefinition> definitions) {
  for (const uint32_t index : offer.rules) {
    const RuleDefinition& rule = definitions[index];
    const bool by_request = rule.patterns.empty();
    const auto added = by_request ? offer.requests.add(index, rule.where) : offer.lines.add(index, rule);
    if (!added)
      return fail(fmt::format("{}:{}: {}: {}", rule.source, rule.at_line, rule.settings.name, added.error().text));
  }
  return {};
}

}  // namespace

struct RuleSet::Inside {
  std::vector<RuleDefinition> definitions;
  std::vector<Rule> ids;  // of the definitions
  NameIndex<Offers> programs;
  NameIndex<Offers> files;
  std::map<std::vector<uint32_t>, std::unique_ptr<Offer>> offers;  // names that have the same rules share one
  ScanMemory memory;
  Captures captures;
  std::vector<LineRules::Match> line_matches;
  std::vector<uint32_t> request_matches;

  // Null if there are none.
  Offer* offer_for(std::vector<uint32_t> rules) {
    if (rules.empty()) return nullptr;
    auto& offer = offers[rules];
    if (!offer) {
      offer = std::make_unique<Offer>();
      offer->rules = std::move(rules);
      if (!fill(*offer, definitions)) return nullptr;  // compile() has tried each rule
      offer->lines.finish();
      offer->requests.finish();
    }
    return offer.get();
  }

  template <typename Fits>
  Offers find_offers(Fits&& fits) {
    Offers found{};
    for (size_t format = 0; format < line_formats; ++format) {
      std::vector<uint32_t> rules;
      for (uint32_t index = 0; index < definitions.size(); ++index)
        if (definitions[index].format == static_cast<LineFormat>(format) && fits(definitions[index]))
          rules.push_back(index);
      found[format] = offer_for(std::move(rules));
    }
    return found;
  }

  Offer* of_program(LineFormat format, std::string_view program) {
    const Offers& found = programs.at(program, [&](std::string_view name) {
      return find_offers([&](const RuleDefinition& rule) {
        return std::ranges::any_of(rule.programs, [&](const auto& glob) { return program_fits(name, glob); });
      });
    });
    return found[static_cast<size_t>(format)];
  }

  Offer* of_file(LineFormat format, std::string_view file) {
    const Offers& found = files.at(file, [&](std::string_view name) {
      return find_offers([&](const RuleDefinition& rule) {
        return std::ranges::any_of(rule.files, [&](const auto& glob) { return file_fits(name, glob); });
      });
    });
    return found[static_cast<size_t>(format)];
  }

  Offer* of_entry(const LogEntry& entry, const LineOrigin& origin) {
    if (entry.format != LineFormat::syslog && !origin.file.empty())
      if (Offer* offer = of_file(entry.format, origin.file)) return offer;
    return entry.line.program.empty() ? nullptr : of_program(entry.format, entry.line.program);
  }

  // By the fields of the journal, before the text is looked at.
  [[nodiscard]] bool any_allows(const Offer& offer, const LineOrigin& origin) const {
    if (origin.unit.empty() && origin.transport.empty() && !origin.uid) return true;
    return std::ranges::any_of(offer.rules, [&](uint32_t index) { return origin_allows(definitions[index], origin); });
  }

  [[nodiscard]] Event event_of(uint32_t index, const LogEntry& entry) const {
    Event event;
    event.at = entry.access != nullptr ? entry.access->at : entry.line.at;
    event.rule = ids[index];
    event.proof = definitions[index].settings.proof;
    event.line = entry.whole;
    return event;
  }

  void match_lines(Offer& offer, const LogEntry& entry, const LineOrigin& origin, std::vector<Event>& events) {
    offer.lines.match(entry.line.message, memory, captures, line_matches);
    for (const LineRules::Match& match : line_matches) {
      if (match.ignored || !origin_allows(definitions[match.id], origin)) continue;
      Event event = event_of(match.id, entry);
      event.source = match.captured.source;
      event.user = match.captured.user;
      event.target = match.captured.target;
      event.port = match.captured.port;
      events.push_back(event);
    }
  }

  void match_requests(Offer& offer, const LogEntry& entry, const LineOrigin& origin, std::vector<Event>& events) {
    const HttpAccess& request = *entry.access;
    if (!request.client.is_unicast()) return;
    offer.requests.match(request, entry.waf, memory, captures, request_matches);
    for (const uint32_t index : request_matches) {
      if (!origin_allows(definitions[index], origin)) continue;
      Event event = event_of(index, entry);
      event.source = request.client;
      event.protocol = Protocol::tcp;
      event.user = request.user;
      event.target = request.target.substr(0, request.target.find('?'));
      events.push_back(event);
    }
  }
};

RuleSet::RuleSet() : inside_(std::make_unique<Inside>()) {}
RuleSet::~RuleSet() = default;
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;

RuleSet RuleSet::when_needed(std::span<const RuleDefinition> definitions) {
  RuleSet set;
  for (const RuleDefinition& definition : definitions) {
    if (!definition.enabled) continue;
    set.inside_->definitions.push_back(definition);
    set.inside_->ids.push_back(rule_named(definition.settings.name));
  }
  return set;
}

Result<RuleSet> RuleSet::compile(std::span<const RuleDefinition> definitions) {
  RuleSet set = when_needed(definitions);
  Inside& inside = *set.inside_;
  for (uint32_t index = 0; index < inside.definitions.size(); ++index) {
    Offer alone;
    alone.rules = {index};
    if (const auto filled = fill(alone, inside.definitions); !filled) return Failure(filled.error());
  }
  // The names that stand in rules are looked up now, so that the first line of each costs no more than the next.
  for (const RuleDefinition& definition : inside.definitions)
    for (const std::string& program : definition.programs)
      if (!program.ends_with('*')) inside.of_program(definition.format, program);
  return set;
}

bool RuleSet::wants_file(std::string_view file, LineFormat format) {
  return !file.empty() && inside_->of_file(format, file) != nullptr;
}

bool RuleSet::wants_program(std::string_view program, LineFormat format) {
  return !program.empty() && inside_->of_program(format, program) != nullptr;
}

void RuleSet::match(const LogEntry& entry, const LineOrigin& origin, std::vector<Event>& events) {
  Offer* offer = inside_->of_entry(entry, origin);
  if (offer == nullptr || !inside_->any_allows(*offer, origin)) return;
  if (!offer->lines.empty() && !entry.line.message.empty()) inside_->match_lines(*offer, entry, origin, events);
  if (!offer->requests.empty() && entry.access != nullptr) inside_->match_requests(*offer, entry, origin, events);
}

std::vector<RuleTrial> RuleSet::explain(const LogEntry& entry, const LineOrigin& origin) {
  std::vector<RuleTrial> trials;
  Offer* offer = inside_->of_entry(entry, origin);
  if (offer == nullptr) return trials;
  for (const uint32_t index : offer->rules) {
    const RuleDefinition& definition = inside_->definitions[index];
    if (!origin_allows(definition, origin)) continue;
    RuleTrial& trial = trials.emplace_back();
    trial.rule = &definition;
  }
  const auto trial_of = [&](uint32_t index) {
    return std::ranges::find(trials, &inside_->definitions[index], &RuleTrial::rule);
  };
  offer->lines.match(entry.line.message, inside_->memory, inside_->captures, inside_->line_matches);
  for (const LineRules::Match& match : inside_->line_matches) {
    const auto trial = trial_of(match.id);
    if (trial == trials.end()) continue;
    trial->matched = !match.ignored;
    trial->ignored = match.ignored;
    trial->pattern = match.captured.pattern;
    trial->source = match.captured.source;
    trial->user = match.captured.user;
    trial->target = match.captured.target;
  }
  if (entry.access == nullptr) return trials;
  std::vector<Event> events;
  inside_->match_requests(*offer, entry, origin, events);
  for (const Event& event : events) {
    const auto trial = std::ranges::find_if(
        trials, [&](const RuleTrial& one) { return one.rule->settings.name == rule_name(event.rule); });
    if (trial == trials.end()) continue;
    trial->matched = true;
    trial->source = event.source;
    trial->user = event.user;
    trial->target = event.target;
  }
  return trials;
}

std::vector<RuleSettings> RuleSet::settings() const {
  std::vector<RuleSettings> all;
  for (const RuleDefinition& definition : inside_->definitions) all.push_back(definition.settings);
  return all;
}

uint64_t RuleSet::given_up() const {
  return inside_->captures.given_up();
}

size_t RuleSet::size() const {
  return inside_->definitions.size();
}

}  // namespace palang
